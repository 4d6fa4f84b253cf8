// Presence from end to end: one primary, several workers on a real bus, sockets made by hand.

import { once } from "node:events";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PresenceMember, RoomDiff } from "../../src/bus/presence-messages.ts";
import type { PresenceClient } from "../../src/presence/presence-client.ts";
import { FakeNamespace, type FakeSocket, type PresenceBox, startPresenceBox } from "../helpers/presence-box.ts";

let box: PresenceBox;

afterEach(() => box.close());

const counts = (members: Iterable<PresenceMember>) =>
  Object.fromEntries([...members].map((member) => [member.user, member.count]).sort());

/** Resolves when what all workers said so far has been published: a question is answered after what was said before. */
async function settle(...workers: { presence: PresenceClient }[]): Promise<void> {
  for (let round = 0; round < 2; round++) {
    await Promise.all(workers.map(({ presence }) => presence.list("a room that nobody is in")));
  }
  await new Promise((resolve) => setImmediate(resolve));
}

describe("PresenceClient and PresenceServer", () => {
  beforeEach(async () => {
    box = await startPresenceBox({ graceMs: 60_000, maxMembers: 100 });
  });

  test("a join gives the state, and those who are there get a diff with the next version", async () => {
    const [one, two] = [await box.worker(), await box.worker()];
    const [ann, bob] = [new FakeNamespace().socket(), new FakeNamespace().socket()];

    const first = await one.presence.join(ann, "lobby", { user: "ann", info: { colour: "red" } });
    const second = await two.presence.join(bob, "lobby", { user: "bob" });
    await settle(one, two);

    const annIsHere = { user: "ann", info: { colour: "red" }, count: 1 };
    const bobIsHere = { user: "bob", count: 1 };
    expect(first).toEqual({ room: "lobby", version: 1, members: [annIsHere] });
    expect(second).toEqual({ room: "lobby", version: 2, members: [annIsHere, bobIsHere] });
    expect(ann.sent).toEqual([
      ["presence:diff", { room: "lobby", version: 2, joined: [bobIsHere], left: [], updated: [] }],
    ]);
    expect(bob.sent).toEqual([]);
  });

  test("counts tabs on several workers as one user, and tells when one is closed", async () => {
    const [one, two] = [await box.worker(), await box.worker()];
    const nsp = new FakeNamespace();
    const [laptop, phone, watcher] = [new FakeNamespace().socket(), nsp.socket(), nsp.socket()];
    await two.presence.join(watcher, "lobby", { user: "bob" });
    await one.presence.join(laptop, "lobby", { user: "ann" });
    await two.presence.join(phone, "lobby", { user: "ann" });
    await settle(one);
    const both = counts((await one.presence.list("lobby")).members);

    phone.disconnect();
    await settle(two, one);

    expect(both).toEqual({ ann: 2, bob: 1 });
    expect(watcher.diffs.at(-1)).toMatchObject({ updated: [{ user: "ann", count: 1 }] });
  });

  test("leaving is seen at once, by everybody but who left", async () => {
    const one = await box.worker();
    const nsp = new FakeNamespace();
    const [ann, bob] = [nsp.socket(), nsp.socket()];
    await one.presence.join(ann, "lobby", { user: "ann" });
    await one.presence.join(bob, "lobby", { user: "bob" });
    await settle(one);
    ann.sent.length = 0;

    one.presence.leave(bob, "lobby");
    await settle(one);

    expect(ann.diffs).toMatchObject([{ left: ["bob"] }]);
    expect(bob.sent).toEqual([]);
    expect(box.server.status()).toEqual({ members: 1, rooms: 1 });
  });

  test("namespaces have rooms of their own", async () => {
    const one = await box.worker();
    const [plain, admin] = [new FakeNamespace("/").socket(), new FakeNamespace("/admin").socket()];

    await one.presence.join(plain, "lobby", { user: "ann" });
    await one.presence.join(admin, "lobby", { user: "root" });
    await settle(one);

    expect(counts((await one.presence.list("lobby")).members)).toEqual({ ann: 1 });
    expect(counts((await one.presence.list("lobby", "/admin")).members)).toEqual({ root: 1 });
    expect([...plain.sent, ...admin.sent]).toEqual([]);
  });

  test("a worker without members in a room can ask who is there", async () => {
    const [one, two] = [await box.worker(), await box.worker()];
    await one.presence.join(new FakeNamespace().socket(), "lobby", { user: "ann" });

    const [state, count, nobody] = await Promise.all([
      two.presence.list("lobby"),
      two.presence.count("lobby"),
      two.presence.count("attic"),
    ]);

    expect(state).toEqual({ room: "lobby", version: 1, members: [{ user: "ann", count: 1 }] });
    expect([count, nobody]).toEqual([1, 0]);
  });

  test("the state gets to the client before the diffs that follow it, even when they come in one chunk", async () => {
    const [one, two] = [await box.worker(), await box.worker()];
    const [ann, bob] = [new FakeNamespace().socket(), new FakeNamespace().socket()];
    await two.presence.join(bob, "lobby", { user: "bob" });

    // Both messages reach worker one's handler in the same turn, as two frames of one read do.
    const held: Parameters<PresenceClient["handle"]>[0][] = [];
    const handle = one.presence.handle.bind(one.presence);
    one.presence.handle = (message) => void held.push(message);
    const joined = one.presence.join(ann, "lobby", { user: "ann" });
    const answered = joined.then((state) => ann.sent.push(["state", state as unknown as RoomDiff]));
    while (held.length < 1) await settle(two);
    two.presence.leave(bob, "lobby");
    while (held.length < 2) await settle(two);
    for (const message of held) handle(message);
    await answered;
    await new Promise((resolve) => setImmediate(resolve));

    expect(ann.sent.map(([event, { version }]) => [event, version])).toEqual([
      ["state", 2],
      ["presence:diff", 3],
    ]);
  });

  test("a killed worker's users who return within the grace never left", async () => {
    const [one, two] = [await box.worker(), await box.worker()];
    const watcher = new FakeNamespace().socket();
    await two.presence.join(watcher, "lobby", { user: "bob" });
    await one.presence.join(new FakeNamespace("/").socket(), "lobby", { user: "ann" });
    await settle(two);
    watcher.sent.length = 0;

    await one.kill();
    const back = new FakeNamespace().socket();
    const state = await two.presence.join(back, "lobby", { user: "ann" });
    await settle(two);

    expect(counts(state.members)).toEqual({ ann: 1, bob: 1 });
    expect(watcher.sent).toEqual([]);
  });

  test("refuses one entry too many, and forgets nothing for it", async () => {
    const one = await box.worker();
    const nsp = new FakeNamespace();
    const sockets = Array.from({ length: 101 }, () => nsp.socket());

    const outcomes = await Promise.allSettled(
      sockets.map((socket, i) => one.presence.join(socket, "lobby", { user: `u${i}` })),
    );

    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(refused.map(({ reason }) => reason.code)).toEqual(["ALLCORES_ERR_PRESENCE_FULL"]);
    expect(await one.presence.count("lobby")).toBe(100);
  });

  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  test.each([
    ["a user without a name", "lobby", { user: "" }],
    ["a user whose name is no text", "lobby", { user: 5 as unknown as string }],
    ["a user whose name is too long", "lobby", { user: "x".repeat(257) }],
    ["a room without a name", "", { user: "ann" }],
    ["a room whose name is too long", "x".repeat(257), { user: "ann" }],
    ["too much information", "lobby", { user: "ann", info: "x".repeat(1023) }],
    ["information that is no JSON", "lobby", { user: "ann", info: 1n }],
    ["information that goes in circles", "lobby", { user: "ann", info: cycle }],
  ])("refuses %s", async (_what, room, user) => {
    const one = await box.worker();

    const joined = one.presence.join(new FakeNamespace().socket(), room, user);

    await expect(joined).rejects.toMatchObject({ code: "ALLCORES_ERR_PRESENCE_REFUSED" });
    expect(box.server.status()).toEqual({ members: 0, rooms: 0 });
  });

  test("a socket that is disconnected already cannot become a ghost", async () => {
    const one = await box.worker();
    const socket = new FakeNamespace().socket();
    socket.disconnect();

    await expect(one.presence.join(socket, "lobby", { user: "ann" })).rejects.toMatchObject({
      code: "ALLCORES_ERR_PRESENCE_REFUSED",
    });
  });

  test("the app hears of changes too, and a listener that throws harms nobody", async () => {
    const one = await box.worker();
    const nsp = new FakeNamespace("/chat");
    const [ann, bob] = [nsp.socket(), nsp.socket()];
    await one.presence.join(ann, "lobby", { user: "ann" });
    const heard: unknown[] = [];
    one.presence.on("diff", (diff) => {
      heard.push(diff);
      throw new Error("the app's own mistake");
    });

    await one.presence.join(bob, "lobby", { user: "bob" });
    await settle(one);

    expect(heard).toMatchObject([{ namespace: "/chat", room: "lobby", version: 2, joined: [{ user: "bob" }] }]);
    expect(ann.diffs).toMatchObject([{ version: 2 }]);
  });
});

describe("PresenceServer, with a short grace", () => {
  test("a killed worker's users are gone when it is over", async () => {
    box = await startPresenceBox({ graceMs: 20 });
    const [one, two] = [await box.worker(), await box.worker()];
    const watcher = new FakeNamespace().socket();
    await two.presence.join(watcher, "lobby", { user: "bob" });
    await one.presence.join(new FakeNamespace().socket(), "lobby", { user: "ann" });
    await one.presence.join(new FakeNamespace("/x").socket(), "lobby", { user: "ann" });

    await one.kill();
    while (!watcher.diffs.some(({ left }) => left.includes("ann"))) await once(two.presence, "diff");
    await settle(two);

    expect(counts((await two.presence.list("lobby")).members)).toEqual({ bob: 1 });
    expect(await two.presence.count("lobby", "/x")).toBe(0);
    expect(box.server.status()).toEqual({ members: 1, rooms: 1 });
  });
});

describe("presence, whatever sockets on several workers do", () => {
  test("every socket's state and diffs add up, without a gap, to what the room is; nobody is left in the end", async () => {
    const action = fc.record({
      what: fc.constantFrom("join", "join", "join", "leave", "disconnect", "wait"),
      worker: fc.nat(2),
      socket: fc.nat(3),
      user: fc.nat(2),
    });

    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 40 }), async (actions) => {
        await box?.close();
        box = await startPresenceBox({ graceMs: 0 });
        const workers = [await box.worker(), await box.worker(), await box.worker()];
        const spaces = workers.map(() => new FakeNamespace());
        const sockets = spaces.map((nsp) => [0, 1, 2, 3].map(() => nsp.socket()));
        const views = new Map<FakeSocket, View>();
        const joins: Promise<unknown>[] = [];

        for (const { what, worker, socket: index, user } of actions) {
          const socket = sockets[worker]?.[index];
          const presence = workers[worker]?.presence;
          if (socket === undefined || presence === undefined) continue;
          if (what === "wait") await settle(...workers);
          if (what === "join") {
            const view = new View(socket);
            views.set(socket, view);
            joins.push(presence.join(socket, "lobby", { user: `u${user}` }).then((state) => view.begin(state)));
          }
          if (what === "leave") {
            presence.leave(socket, "lobby");
            views.delete(socket);
          }
          if (what === "disconnect") {
            socket.disconnect();
            views.delete(socket);
            const fresh = spaces[worker]?.socket();
            if (fresh !== undefined) sockets[worker]?.splice(index, 1, fresh);
          }
        }
        // A join that was overtaken by a leave may be refused.
        await Promise.allSettled(joins);
        await settle(...workers);

        const { members } = (await workers[0]?.presence.list("lobby")) ?? { members: [] };
        for (const view of views.values()) expect(view.members()).toEqual(counts(members));
        const total = members.reduce((sum, { count }) => sum + count, 0);
        expect(total).toBe(views.size);

        for (const socket of sockets.flat()) socket.disconnect();
        await settle(...workers);
        expect(box.server.status()).toEqual({ members: 0, rooms: 0 });
      }),
      { numRuns: 30 },
    );
  });
});

/** What a client knows: the state of its last join, and the diffs that came after it. */
class View {
  readonly #socket: FakeSocket;
  readonly #members = new Map<string, PresenceMember>();
  #version = 0;
  #begin = 0;

  constructor(socket: FakeSocket) {
    this.#socket = socket;
  }

  begin(state: { version: number; members: readonly PresenceMember[] }): void {
    this.#version = state.version;
    this.#begin = this.#socket.sent.length;
    for (const member of state.members) this.#members.set(member.user, member);
  }

  members(): Record<string, number> {
    for (const diff of this.#socket.diffs.slice(this.#begin)) {
      expect(diff.version).toBe(++this.#version);
      for (const member of [...diff.joined, ...diff.updated]) this.#members.set(member.user, member);
      for (const user of diff.left) this.#members.delete(user);
    }
    return counts(this.#members.values());
  }
}
