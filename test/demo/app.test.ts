import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ChatMessage, FractalTile, PresenceDiff } from "../../src/demo/page/protocol.ts";
import { FRACTAL, LIMITS } from "../../src/demo/page/protocol.ts";
import { AllcoresError, PoolSaturatedError } from "../../src/errors.ts";
import { defer } from "../../src/lib/deadline.ts";
import { accepted, DemoBox, type DemoClient, newId, runTask, say } from "../helpers/demo-box.ts";
import { until } from "../helpers/until.ts";

/** Far from the set, where every point escapes at once. */
const FAST_VIEW = "/fractal 2 2 4";

let box: DemoBox;

beforeEach(async () => {
  box = new DemoBox();
  await box.start();
});

afterEach(() => box.close());

function nextMessage(client: DemoClient): Promise<ChatMessage> {
  return new Promise((resolve) => client.once("message", (message) => resolve(message)));
}

function collectTiles(client: DemoClient): FractalTile[] {
  const tiles: FractalTile[] = [];
  client.on("tile", (tile) => tiles.push(tile));
  return tiles;
}

function textsOf(messages: readonly ChatMessage[]): string[] {
  return messages.map(({ text }) => text);
}

describe("messages", () => {
  test("reach people on the other worker, as safe HTML, and say which worker took them", async () => {
    const { client: ada, joined } = await box.join(0, "Ada");
    const { client: bob } = await box.join(1, "Bob");
    const atBob = nextMessage(bob);

    const { message } = await say(ada, "**hi** <b>there</b>");

    expect(await atBob).toEqual(message);
    expect(message).toMatchObject({
      html: "<p><strong>hi</strong> &lt;b&gt;there&lt;/b&gt;</p>\n",
      worker: { slot: 0 },
    });
    expect(message.author).toEqual(joined.you);
  });

  test("tell their author how many pages they reached", async () => {
    const { client: ada } = await box.join(0, "Ada");
    await box.join(0, "Bob");
    await box.join(1, "Cem");
    const reached = new Promise((resolve) => ada.once("reached", (id, pages) => resolve({ id, pages })));

    const { message } = await say(ada, "hello");

    expect(await reached).toEqual({ id: message.id, pages: 2 });
  });

  test("that are sent again are not said again", async () => {
    const { client: ada } = await box.join(0, "Ada");
    const first = await say(ada, "once", "same-message");
    const { client: returned } = await box.join(1, "Ada");

    const second = await say(returned, "once", "same-message");

    expect(second).toEqual(first);
    const { joined } = await box.join(1, "Bob");
    expect(textsOf(joined.history)).toEqual(["once"]);
  });

  test("cannot take the id of somebody else's message", async () => {
    const { client: ada } = await box.join(0, "Ada");
    const { client: bob } = await box.join(0, "Bob");
    await say(ada, "mine", "same-message");

    const answer = await bob.emitWithAck("send", { id: "same-message", text: "no, mine" });

    expect(answer).toMatchObject({ error: { code: "CHAT_ERR_REQUEST" } });
  });

  test("keep their order when an earlier one takes longer to render", async () => {
    const slow = defer<void>();
    box.run = async (task, payload) => {
      if (payload === "first") await slow.promise;
      return runTask(task, payload);
    };
    const { client: ada } = await box.join(0, "Ada");

    const sent = [say(ada, "first"), say(ada, "second")];
    slow.resolve();
    await Promise.all(sent);

    const { joined } = await box.join(0, "Bob");
    expect(textsOf(joined.history)).toEqual(["first", "second"]);
  });

  test.each([
    ["busy", new PoolSaturatedError(1000)],
    ["busy", new AllcoresError("ALLCORES_ERR_TASK_DEADLINE", "late")],
    ["failed", new AllcoresError("ALLCORES_ERR_TASK_CRASHED", "gone")],
    ["failed", new Error("anything")],
  ])("are sent as plain text when rendering is %s", async (plain, error) => {
    box.run = () => Promise.reject(error);
    const { client: ada } = await box.join(0, "Ada");
    const { client: bob } = await box.join(1, "Bob");
    const atBob = nextMessage(bob);

    const sent = await say(ada, "**hi**");

    expect(sent.plain).toBe(plain);
    const { text, html } = await atBob;
    expect({ text, html }).toEqual({ text: "**hi**", html: undefined });
  });

  test("of one client wait in a bounded row", async () => {
    const slow = defer<void>();
    box.run = async (task, payload) => {
      await slow.promise;
      return runTask(task, payload);
    };
    const { client: ada } = await box.join(0, "Ada");

    const answers = Array.from({ length: 30 }, () => ada.emitWithAck("send", { id: newId(), text: "hi" }));
    const refused = await Promise.race(answers);
    slow.resolve();

    expect(refused).toMatchObject({ error: { code: "CHAT_ERR_TOO_FAST" } });
    const accepted = (await Promise.all(answers)).filter((answer) => !("error" in answer));
    expect(accepted).toHaveLength(20);
  });

  test("stay in their room", async () => {
    const { client: ada } = await box.join(0, "Ada", "garden");
    const { client: bob } = await box.join(0, "Bob", "lobby");
    await bob.emitWithAck("join", { room: "kitchen", name: "Bob", key: "key-of-Bob-0123456789" });
    const atBob: ChatMessage[] = [];
    bob.on("message", (message) => atBob.push(message));
    const { client: cem } = await box.join(1, "Cem", "lobby");

    await say(ada, "in the garden");
    await say(cem, "in the lobby");
    await say(bob, "a round trip of its own");

    expect(atBob).toEqual([]);
  });
});

describe("history", () => {
  test("is the same last 50 on every worker", async () => {
    const { client: ada } = await box.join(0, "Ada");
    for (let number = 1; number <= 53; number++) await say(ada, `message ${number}`);

    const here = (await box.join(0, "Bob")).joined.history;
    const there = (await box.join(1, "Cem")).joined.history;

    expect(textsOf(here)).toEqual(Array.from({ length: LIMITS.historyLength }, (_, index) => `message ${index + 4}`));
    expect(there).toEqual(here);
  });

  test("outlives every worker in turn, because a new one copies what its neighbour has", async () => {
    const { client: ada } = await box.join(0, "Ada");
    const { message } = await say(ada, "to be kept");

    await box.killWorker(0);
    await box.startWorker(0, 2);
    await box.killWorker(1);
    await box.startWorker(1, 2);

    const { joined } = await box.join(1, "Bob");
    expect(joined.history).toEqual([message]);
  });
});

describe("people", () => {
  test("are counted by person over tabs and workers", async () => {
    await box.join(0, "Ada");
    await box.join(1, "Ada");

    const { joined } = await box.join(1, "Bob");

    const counts = joined.presence.members.map(({ info, count }) => [(info as { name: string }).name, count]);
    expect(Object.fromEntries(counts)).toEqual({ Ada: 2, Bob: 1 });
  });

  test("of one name are two when they are not of one browser", async () => {
    await box.join(0, "Ada", "lobby", "key-of-one-browser");
    const { joined } = await box.join(0, "Ada", "lobby", "key-of-another-browser");

    expect(joined.presence.members).toHaveLength(2);
  });

  test("that come and go are told to the others, wherever they are", async () => {
    const { client: ada } = await box.join(0, "Ada");
    const diffs: PresenceDiff[] = [];
    ada.on("presence:diff", (diff) => diffs.push(diff));

    const { client: bob, joined } = await box.join(1, "Bob");
    await until("Ada heard that Bob came", () => diffs.some((diff) => diff.joined[0]?.user === joined.you.user));
    bob.disconnect();

    await until("Ada heard that Bob left", () => diffs.some(({ left }) => left.includes(joined.you.user)));
  });

  test("of a killed worker are gone", async () => {
    const { client: ada } = await box.join(0, "Ada");
    const { joined } = await box.join(1, "Bob");
    const left = new Promise((resolve) =>
      ada.on("presence:diff", (diff) => diff.left.length > 0 && resolve(diff.left)),
    );

    await box.killWorker(1);

    expect(await left).toEqual([joined.you.user]);
  });

  test("who type are shown to the others, not to themselves", async () => {
    const { client: ada, joined } = await box.join(0, "Ada");
    const { client: bob } = await box.join(1, "Bob");
    const heardByAda: unknown[] = [];
    ada.on("typing", (author) => heardByAda.push(author));
    const heardByBob = new Promise((resolve) => bob.once("typing", resolve));

    ada.emit("typing");

    expect(await heardByBob).toEqual(joined.you);
    expect(heardByAda).toEqual([]);
  });

  test("who have seen a message are told to its author alone", async () => {
    const { client: ada } = await box.join(0, "Ada");
    const { client: bob, joined } = await box.join(1, "Bob");
    const { client: cem } = await box.join(1, "Cem");
    const heardByCem: unknown[] = [];
    cem.on("seen", (id) => heardByCem.push(id));
    await say(ada, "one");
    const { message } = await say(ada, "two");
    const seen = new Promise((resolve) => ada.once("seen", (id, by) => resolve({ id, by })));

    bob.emit("seen", message.id);

    expect(await seen).toEqual({ id: message.id, by: joined.you });
    expect(heardByCem).toEqual([]);
  });

  test("with a token have its subject as name", async () => {
    const client = await box.connect(0, { sub: "grace" });

    const joined = accepted(
      await client.emitWithAck("join", { room: "lobby", name: "Ada", key: "a-key-that-is-ignored" }),
    );

    expect(joined.you.name).toBe("grace");
  });
});

describe("/fractal", () => {
  test("is drawn for the whole room, tile by tile", async () => {
    const { client: ada } = await box.join(0, "Ada");
    const { client: bob } = await box.join(1, "Bob");
    const tiles = [collectTiles(ada), collectTiles(bob)];

    const { message } = await say(ada, FAST_VIEW);

    expect(message.fractal).toEqual({ x: 2, y: 2, zoom: 4 });
    for (const atClient of tiles) {
      await until("all tiles are there", () => atClient.length === FRACTAL.tileCount);
      expect(new Set(atClient.map(({ index }) => index)).size).toBe(FRACTAL.tileCount);
      expect(atClient.every(({ messageId }) => messageId === message.id)).toBe(true);
    }
  });

  test("is drawn again for who came later, on any worker", async () => {
    const { client: ada } = await box.join(0, "Ada");
    const { message } = await say(ada, FAST_VIEW);
    const { client: bob } = await box.join(1, "Bob");
    const tiles = collectTiles(bob);

    const answer = await bob.emitWithAck("draw", { messageId: message.id, tiles: [3, 5] });

    expect(answer).toEqual({ drawn: 2 });
    expect(tiles.map(({ index }) => index).sort()).toEqual([3, 5]);
  });

  test("is one at a time for each client", async () => {
    const slow = defer<void>();
    box.run = async (task, payload) => {
      await slow.promise;
      return runTask(task, payload);
    };
    const { client: ada } = await box.join(0, "Ada");
    await say(ada, FAST_VIEW);

    const answer = await ada.emitWithAck("send", { id: newId(), text: FAST_VIEW });
    slow.resolve();

    expect(answer).toMatchObject({ error: { code: "CHAT_ERR_TOO_FAST" } });
    const { joined } = await box.join(0, "Bob");
    expect(joined.history).toHaveLength(1);
  });

  test("stops when the page that asked for it is gone", async () => {
    const { client: ada } = await box.join(0, "Ada");
    const { message } = await say(ada, FAST_VIEW);
    const { client: bob } = await box.join(1, "Bob");
    const signals: AbortSignal[] = [];
    box.run = (_task, _payload, options) => {
      if (options?.signal !== undefined) signals.push(options.signal);
      return new Promise(() => {});
    };

    bob.emit("draw", { messageId: message.id, tiles: [0, 1, 2] }, () => {});
    await until("tiles are being drawn", () => signals.length === 2);
    bob.disconnect();

    await until("they are given up", () => signals.every(({ aborted }) => aborted));
  });

  test("says so when the pool is full", async () => {
    const { client: ada } = await box.join(0, "Ada");
    const { message } = await say(ada, FAST_VIEW);
    const { client: bob } = await box.join(1, "Bob");
    box.run = () => Promise.reject(new PoolSaturatedError(1000));

    const answer = await bob.emitWithAck("draw", { messageId: message.id, tiles: [0] });

    expect(answer).toMatchObject({ error: { code: "ALLCORES_ERR_POOL_SATURATED" } });
  });
});

describe("bad input", () => {
  test.each([
    ["join", undefined, "CHAT_ERR_REQUEST"],
    ["join", null, "CHAT_ERR_REQUEST"],
    ["join", "lobby", "CHAT_ERR_REQUEST"],
    ["join", { room: "lobby", name: "Ada", key: 7 }, "CHAT_ERR_REQUEST"],
    ["join", { room: "", name: "Ada", key: "0123456789abcdef" }, "CHAT_ERR_ROOM"],
    ["join", { room: ["lobby"], name: "Ada", key: "0123456789abcdef" }, "CHAT_ERR_ROOM"],
    ["join", { room: "lobby", name: "x".repeat(33), key: "0123456789abcdef" }, "CHAT_ERR_NAME"],
    ["send", undefined, "CHAT_ERR_REQUEST"],
    ["send", { id: "12345678" }, "CHAT_ERR_TEXT"],
    ["send", { id: "12345678", text: " \n " }, "CHAT_ERR_TEXT"],
    ["send", { id: "12345678", text: "x".repeat(LIMITS.textLength + 1) }, "CHAT_ERR_TEXT"],
    ["send", { id: "12345678", text: "/fractal 9 9 9" }, "CHAT_ERR_FRACTAL"],
    ["draw", { messageId: "12345678", tiles: [24] }, "CHAT_ERR_REQUEST"],
    ["draw", { messageId: "12345678", tiles: [1] }, "CHAT_ERR_REQUEST"],
  ])("%s with %j is refused", async (event, payload, code) => {
    const { client } = await box.join(0, "Ada");

    const answer = await client.emitWithAck(event as "send", payload as never);

    expect(answer).toEqual({ error: { code, message: expect.any(String) } });
  });

  test.each(["send", "draw"])("%s before a room is joined is refused", async (event) => {
    const client = await box.connect(0);
    const payload = { id: "12345678", text: "hi", messageId: "12345678", tiles: [1] };

    const answer = await client.emitWithAck(event as "send", payload);

    expect(answer).toMatchObject({ error: { code: "CHAT_ERR_NOT_JOINED" } });
  });

  test.each([
    ["typing", "CHAT_ERR_NOT_JOINED"],
    ["seen", "CHAT_ERR_REQUEST"],
  ])("%s that asks for no answer is refused in an event", async (event, code) => {
    const client = await box.connect(0);
    const refusal = new Promise((resolve) => client.once("allcores:error", resolve));

    client.emit(event as "typing");

    expect(await refusal).toMatchObject({ code });
  });
});
