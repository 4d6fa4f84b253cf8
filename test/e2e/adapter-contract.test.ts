// What a Socket.IO adapter has to do, held against the official cluster adapter (bus ipc) and allcores' own (bus box,
// with and without recovery) alike: real workers, stock clients, one on WebSocket and one on long-polling on each worker.

import type { Socket } from "socket.io-client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { startBox, type TestBox } from "../helpers/box.ts";
import { connectClient } from "../helpers/clients.ts";
import { connectRaw } from "../helpers/raw-client.ts";
import { until } from "../helpers/until.ts";

const WORKERS = 3;
/** Nobody is to wait for so long: the test's own time limit is shorter. */
const LONG_MS = 600_000;

interface Client {
  readonly socket: Socket;
  readonly slot: number;
  readonly pid: number;
  /** What it heard since the test began, but for what the suite itself says. */
  readonly heard: unknown[][];
}

/** As apps name rooms: without types, by number too. */
type RoomName = string | number;

interface Plan {
  /** `io`: the namespace the client is in. `socket`: its own socket. `parent`: of the dynamic namespaces. */
  readonly via?: "io" | "socket" | "parent";
  readonly to?: readonly RoomName[];
  readonly except?: readonly RoomName[];
  readonly flags?: readonly ("local" | "volatile" | "compress" | "broadcast")[];
  readonly timeoutMs?: number;
  readonly method: string;
  readonly args?: readonly unknown[];
}

interface Outcome {
  readonly result?: unknown;
  readonly error?: string;
  readonly responses?: unknown[];
}

describe.each([
  ["ipc", "0"],
  ["box", "0"],
  ["box", "1"],
])("the adapter of bus %s (recovery: %s)", (bus, recovery) => {
  let box: TestBox;
  let clients: Client[];
  let fences = 0;

  beforeAll(async () => {
    const env = { WITH_RECOVERY: recovery };
    box = await startBox({ app: "contract-app.mjs", workers: WORKERS, flags: ["--bus", bus], env });
  });
  beforeEach(async () => {
    clients = await connectAll("/");
  });
  afterEach(async () => {
    for (const { socket } of clients) socket.disconnect();
    await until("all are gone", async () => (await box.status()).workers.every(({ connections }) => connections === 0));
  });
  afterAll(() => box.stop());

  /** Two clients on each worker, in order of workers. */
  async function connectAll(namespace: string): Promise<Client[]> {
    const connected: Client[] = [];
    for (const transport of ["websocket", "polling"] as const) {
      const bySlot = new Map<number, Client>();
      while (bySlot.size < WORKERS) {
        const client = await connect(namespace, transport, `${transport}`);
        if (bySlot.has(client.slot)) client.socket.disconnect();
        else bySlot.set(client.slot, client);
      }
      connected.push(...bySlot.values());
    }
    return connected.sort((a, b) => a.slot - b.slot);
  }

  async function connect(namespace: string, transport: "websocket" | "polling", name: string): Promise<Client> {
    const options = { transports: [transport], auth: { name } };
    const { socket, welcome } = await connectClient<Omit<Client, "socket" | "heard">>(box.url + namespace, options);
    const client: Client = { socket, ...welcome, heard: [] };
    socket.onAny((event: string, ...args: unknown[]) => {
      // With recovery, an event ends with its position.
      const own = recovery === "1" && typeof args.at(-1) !== "function" ? args.slice(0, -1) : args;
      if (!event.startsWith("allcores:")) client.heard.push([event, ...own]);
    });
    return client;
  }

  function ask({ socket }: Client, plan: Plan): Promise<Outcome> {
    return socket.emitWithAck("do", plan);
  }

  function join({ socket }: Client, room: RoomName): Promise<void> {
    return socket.emitWithAck("join", room);
  }

  /** Everything that `from` has emitted so far has reached everybody; what each of them heard. */
  async function heardBy(from: Client, among: readonly Client[] = clients): Promise<unknown[][][]> {
    const fence = `fence ${fences++}`;
    await ask(from, { method: "emit", args: [fence] });
    await until("the fence has reached all", () =>
      among.every(({ heard }) => heard.some(([event]) => event === fence)),
    );
    return among.map(({ heard }) => heard.splice(0).filter(([event]) => event !== fence));
  }

  /** Which of the clients heard `event`, each as often as it did. */
  function hearers(heard: readonly unknown[][][], event: string): number[] {
    return heard.flatMap((events, i) => events.flatMap(([name]) => (name === event ? [i] : [])));
  }

  const [ALL, FIRST] = [[0, 1, 2, 3, 4, 5], 0];
  const from = () => clients[FIRST] as Client;
  const idOf = (index: number) => clients[index]?.socket.id ?? "";

  test("broadcast: to all, once; from a socket: to all others", async () => {
    await ask(from(), { method: "emit", args: ["all", 1, { a: [null, "ü"] }] });
    await ask(from(), { via: "socket", flags: ["broadcast"], method: "emit", args: ["others"] });

    const heard = await heardBy(from());
    expect(hearers(heard, "all")).toEqual(ALL);
    expect(hearers(heard, "others")).toEqual(ALL.slice(1));
    expect(heard[5]).toEqual([["all", 1, { a: [null, "ü"] }], ["others"]]);
  });

  test("rooms: members on whichever worker, once though they are in two of them, and nobody else", async () => {
    for (const i of [0, 2, 5]) await join(clients[i] as Client, "red");
    for (const i of [2, 3]) await join(clients[i] as Client, "blue");

    await ask(from(), { to: ["red"], method: "emit", args: ["one"] });
    await ask(from(), { to: ["red", "blue"], method: "emit", args: ["two"] });
    await ask(from(), { to: ["nobody's"], method: "emit", args: ["none"] });
    await ask(from(), { via: "socket", to: ["red"], method: "emit", args: ["from within"] });
    await ask(from(), { to: [idOf(4)], method: "emit", args: ["by id"] });

    const heard = await heardBy(from());
    expect(hearers(heard, "one")).toEqual([0, 2, 5]);
    expect(hearers(heard, "two")).toEqual([0, 2, 3, 5]);
    expect(hearers(heard, "none")).toEqual([]);
    expect(hearers(heard, "from within")).toEqual([2, 5]);
    expect(hearers(heard, "by id")).toEqual([4]);
  });

  test("except: rooms and single sockets are left out", async () => {
    for (const i of [0, 2, 5]) await join(clients[i] as Client, "red");
    await join(clients[2] as Client, "blue");

    await ask(from(), { except: ["red"], method: "emit", args: ["not red"] });
    await ask(from(), { to: ["red"], except: ["blue", idOf(0)], method: "emit", args: ["red alone"] });

    const heard = await heardBy(from());
    expect(hearers(heard, "not red")).toEqual([1, 3, 4]);
    expect(hearers(heard, "red alone")).toEqual([5]);
  });

  test("rooms named by a number: whatever is done with others can be done with them", async () => {
    for (const i of [0, 1, 2, 5]) await join(clients[i] as Client, 5);
    await clients[1]?.socket.emitWithAck("leave", 5);
    clients[5]?.socket.on("question", (answer: (value: string) => void) => answer("5"));

    await ask(from(), { to: [5], method: "emit", args: ["to 5"] });
    await ask(from(), { via: "socket", to: [5], method: "emit", args: ["from within"] });
    await ask(from(), { except: [5], method: "emit", args: ["not 5"] });
    await ask(from(), { to: [5], except: [idOf(2), idOf(0)], method: "socketsJoin", args: [[6, 7]] });
    await ask(from(), { to: [6], method: "emit", args: ["to 6"] });
    await ask(from(), { to: [6], method: "socketsLeave", args: [6] });
    await ask(from(), { to: [6], method: "emit", args: ["left 6"] });
    const seven = await ask(from(), { to: [7], method: "fetchSockets" });
    const answers = await ask(from(), { to: [7], timeoutMs: LONG_MS, method: "emitWithAck", args: ["question"] });
    await ask(from(), { to: [5], flags: ["local"], method: "emit", args: ["here"] });

    const heard = await heardBy(from());
    expect(hearers(heard, "to 5")).toEqual([0, 2, 5]);
    expect(hearers(heard, "from within")).toEqual([2, 5]);
    expect(hearers(heard, "not 5")).toEqual([1, 3, 4]);
    expect(hearers(heard, "to 6")).toEqual([5]);
    expect(hearers(heard, "left 6")).toEqual([]);
    expect((seven.result as { id: string }[]).map(({ id }) => id)).toEqual([idOf(5)]);
    expect(answers.result).toEqual(["5"]);
    expect(hearers(heard, "here")).toEqual([0]);
    await ask(from(), { to: [7], method: "disconnectSockets", args: [] });
    await until("it is gone", () => clients[5]?.socket.connected === false);
  });

  test.runIf(bus === "box")("room names are text: a number is its digits, and an object is no name", async () => {
    await join(clients[0] as Client, 5);
    await join(clients[3] as Client, "5");

    await ask(from(), { to: [5], method: "emit", args: ["by number"] });
    await ask(from(), { to: ["5"], method: "emit", args: ["by text"] });
    await ask(from(), { to: [5, "5"], method: "emit", args: ["by both"] });
    const inFive = await ask(from(), { to: [5], method: "fetchSockets" });
    const refused = await ask(from(), { to: [{} as string], method: "emit", args: ["to an object"] });

    const heard = await heardBy(from());
    for (const event of ["by number", "by text", "by both"]) expect(hearers(heard, event)).toEqual([0, 3]);
    for (const { rooms } of inFive.result as { rooms: unknown[] }[]) expect(rooms).toContain("5");
    expect(refused.error).toMatch("Name it by a string or a number");
  });

  // Rooms changed at once, and messages found their sockets only when they had their place: who left right after a
  // farewell did not hear it, and who joined right after it was announced heard that.
  test.runIf(bus === "box")("one turn: what is said finds sockets in the rooms that they were in then", async () => {
    for (const i of [1, 4]) await join(clients[i] as Client, "red");

    from().socket.emit("turn", [
      { via: "io", to: "red", method: "emit", args: ["before"] },
      { via: "socket", method: "join", args: ["red"] },
      { via: "io", to: "red", method: "emit", args: ["joined"] },
      { via: "socket", method: "leave", args: ["red"] },
      { via: "io", to: "red", method: "emit", args: ["left"] },
      { via: "socket", method: "join", args: ["red"] },
      { via: "io", to: "red", method: "emit", args: ["back"] },
      { via: "io", to: "red", method: "disconnectSockets", args: [] },
      { via: "socket", method: "leave", args: ["red"] },
    ]);
    await until("they are gone", () => [0, 1, 4].every((i) => clients[i]?.socket.connected === false));

    await heardBy(
      clients[2] as Client,
      [2, 3, 5].map((i) => clients[i] as Client),
    );
    const heard = clients.map((client) => client.heard.map(([event]) => event));
    const throughout = ["before", "joined", "left", "back"];
    expect(heard).toEqual([["joined", "back"], throughout, [], [], throughout, []]);
  });

  // The socket seemed to be in the room already, or not to be in it yet, and the hub was not told.
  test.runIf(bus === "box")(
    "one turn: a socket's own join and leave have the last word after socketsLeave and socketsJoin",
    async () => {
      await join(from(), "red");

      from().socket.emit("turn", [
        { via: "io", method: "socketsLeave", args: ["red"] },
        { via: "socket", method: "join", args: ["red"] },
        { via: "io", method: "socketsJoin", args: ["blue"] },
        { via: "socket", method: "leave", args: ["blue"] },
        { via: "io", to: "red", method: "emit", args: ["to red"] },
        { via: "io", to: "blue", method: "emit", args: ["to blue"] },
      ]);

      const heard = await heardBy(from());
      expect(hearers(heard, "to red")).toEqual([FIRST]);
      expect(hearers(heard, "to blue")).toEqual(ALL.slice(1));
    },
  );

  // Its disconnect waited for its place behind what was emitted, and meanwhile its events were handled.
  test("a socket that was disconnected is not listened to any more", async () => {
    from().socket.emit("turn", [
      { via: "io", method: "emit", args: ["it goes"] },
      { via: "socket", method: "disconnect", args: [] },
    ]);
    for (let i = 0; i < 10; i++)
      from().socket.emit("turn", [{ via: "io", method: "emit", args: ["it is still here"] }]);
    await until("it is gone", () => !from().socket.connected);

    const heard = await heardBy(clients[1] as Client, clients.slice(1));
    expect(hearers(heard, "it goes")).toEqual(ALL.slice(0, 5));
    expect(hearers(heard, "it is still here")).toEqual([]);
  });

  // What waited for its place was encoded then: it was not what the app had said, and an error there ended the worker.
  test.runIf(bus === "box")(
    "what is sent is what it was when it was given, and an error in it is the caller's",
    async () => {
      const before = { count: 1, at: "now" };

      const answer = await from().socket.emitWithAck("changes its mind");
      const errors: string[] = await from().socket.emitWithAck("cannot be sent");

      const heard = await heardBy(from());
      const own = heard[FIRST]?.filter(([, value]) => value !== undefined);
      expect(answer).toEqual(before);
      expect(own?.map(([, value]) => value)).toEqual([before, before, before]);
      expect(hearers(heard, "to all, with an ack")).toEqual(ALL);
      for (const [, value] of heard[5]?.slice(0, 2) ?? []) expect(value).toEqual(before);
      expect(new Set(errors)).toEqual(new Set(["Do not know how to serialize a BigInt"]));
      expect(errors).toHaveLength(5);
      expect(clients.every(({ socket }) => socket.connected)).toBe(true);
    },
  );

  test("binary: buffers anywhere in an event arrive as they were", async () => {
    const bytes = Buffer.from([0, 255, 1, 128]);

    await ask(from(), { method: "emit", args: ["bytes", bytes, { deep: [{ er: bytes }], text: "ü" }] });

    const heard = await heardBy(from());
    for (const events of heard) {
      const [[, first, second]] = events as [[string, Buffer, { deep: [{ er: Buffer }]; text: string }]];
      expect([Buffer.from(first), Buffer.from(second.deep[0].er)]).toEqual([bytes, bytes]);
      expect(second.text).toBe("ü");
    }
  });

  describe("emitWithAck", () => {
    beforeEach(() => {
      for (const [i, { socket }] of clients.entries()) {
        socket.on("question", (...args: unknown[]) => (args.at(-1) as (answer: unknown) => void)(i));
        socket.on("bytes?", (answer: (bytes: Buffer) => void) => answer(Buffer.from([i])));
        socket.on("silent", () => {});
      }
    });

    test("brings one answer from each client, of all or of a room, text and binary", async () => {
      for (const i of [1, 4]) await join(clients[i] as Client, "red");

      const [all, red, nobody, bytes] = await Promise.all([
        ask(from(), { timeoutMs: LONG_MS, method: "emitWithAck", args: ["question", "?"] }),
        ask(from(), { timeoutMs: LONG_MS, to: ["red"], method: "emitWithAck", args: ["question"] }),
        ask(from(), { timeoutMs: LONG_MS, to: ["nobody's"], method: "emitWithAck", args: ["question"] }),
        ask(from(), { timeoutMs: LONG_MS, to: ["red"], method: "emitWithAck", args: ["bytes?"] }),
      ]);

      expect((all.result as number[]).sort()).toEqual(ALL);
      expect((red.result as number[]).sort()).toEqual([1, 4]);
      expect(nobody.result).toEqual([]);
      expect((bytes.result as Buffer[]).map((one) => Buffer.from(one)[0]).sort()).toEqual([1, 4]);
    });

    test("fails when somebody does not answer in time, with the answers there are", async () => {
      clients[3]?.socket.off("question");

      const { error, responses } = await ask(from(), { timeoutMs: 1500, method: "emitWithAck", args: ["question"] });

      expect(error).toBe("operation has timed out");
      expect((responses as number[]).sort()).toEqual([0, 1, 2, 4, 5]);
    });
  });

  test("socketsJoin and socketsLeave: what is emitted next finds the sockets where they were sent", async () => {
    for (const i of [1, 2, 4]) await join(clients[i] as Client, "red");

    await ask(from(), { to: ["red"], except: [idOf(2)], method: "socketsJoin", args: [["new", "newer"]] });
    await ask(from(), { to: ["new"], method: "emit", args: ["joined"] });
    await ask(from(), { to: [idOf(4)], method: "socketsLeave", args: ["newer"] });
    await ask(from(), { to: ["newer"], method: "emit", args: ["left"] });
    await ask(from(), { method: "socketsJoin", args: ["everybody"] });
    await ask(from(), { to: ["everybody"], method: "emit", args: ["all in"] });

    const heard = await heardBy(from());
    expect(hearers(heard, "joined")).toEqual([1, 4]);
    expect(hearers(heard, "left")).toEqual([1]);
    expect(hearers(heard, "all in")).toEqual(ALL);
  });

  test("disconnectSockets: those it means are told, after what was emitted to them before; others stay", async () => {
    for (const i of [1, 4]) await join(clients[i] as Client, "red");
    const reasons = new Map<number, string>();
    for (const [i, { socket }] of clients.entries()) socket.on("disconnect", (reason) => reasons.set(i, reason));

    await ask(from(), { to: ["red"], method: "emit", args: ["goodbye"] });
    await ask(from(), { to: ["red"], method: "disconnectSockets", args: [] });
    await until("they are gone", () => reasons.size === 2);

    expect([...reasons].sort()).toEqual([
      [1, "io server disconnect"],
      [4, "io server disconnect"],
    ]);
    expect([1, 4].map((i) => clients[i]?.heard)).toEqual([[["goodbye"]], [["goodbye"]]]);
    const staying = clients.filter((_, i) => i !== 1 && i !== 4);
    expect(hearers(await heardBy(from(), staying), "goodbye")).toEqual([]);
  });

  test("fetchSockets: who is there, with rooms, data and handshake; and each can be used from afar", async () => {
    await join(clients[5] as Client, "red");

    const all = await ask(from(), { method: "fetchSockets" });
    const red = await ask(from(), { to: ["red"], method: "fetchSockets" });
    await from().socket.emitWithAck("remote", idOf(3), "emit", ["for you", 1]);
    await from().socket.emitWithAck("remote", idOf(3), "join", ["red"]);
    await ask(from(), { to: ["red"], method: "emit", args: ["to red"] });

    expect((all.result as { id: string }[]).map(({ id }) => id).sort()).toEqual(ALL.map(idOf).sort());
    const [member] = red.result as { rooms: string[] }[];
    expect({ ...member, rooms: member?.rooms.sort() }).toEqual({
      id: idOf(5),
      rooms: [idOf(5), "red"].sort(),
      data: { slot: 2 },
      name: expect.stringMatching(/websocket|polling/),
    });
    const heard = await heardBy(from());
    expect(hearers(heard, "for you")).toEqual([3]);
    expect(hearers(heard, "to red")).toEqual([3, 5]);
  });

  test("serverSideEmit: to the other workers, once each; with an ack, one answer from each", async () => {
    const news = `news ${bus} ${recovery}`;

    await ask(from(), { method: "serverSideEmit", args: ["news", news, { bytes: Buffer.from([7]) }] });
    const { result } = await ask(from(), { method: "serverSideEmitWithAck", args: ["news", "who?"] });

    expect((result as { slot: number }[]).sort((a, b) => a.slot - b.slot)).toEqual([
      { slot: 1, args: ["who?"] },
      { slot: 2, args: ["who?"] },
    ]);
    for (const [slot, times] of [0, 1, 1].entries()) {
      const heard = (await clients[2 * slot]?.socket.emitWithAck("heard")) as unknown[][];
      const found = heard.filter(([text]) => text === news);
      expect(found).toHaveLength(times);
      for (const [, { bytes }] of found as [string, { bytes: Uint8Array }][])
        expect([...Buffer.from(bytes)]).toEqual([7]);
    }
  });

  test("local: stays on the worker, whatever is asked", async () => {
    await ask(from(), { flags: ["local"], method: "emit", args: ["here"] });
    await ask(from(), { flags: ["local"], method: "socketsJoin", args: ["ours"] });
    await ask(from(), { to: ["ours"], method: "emit", args: ["to ours"] });
    const { result } = await ask(from(), { flags: ["local"], method: "fetchSockets" });

    const heard = await heardBy(from());
    expect(hearers(heard, "here")).toEqual([0, 1]);
    expect(hearers(heard, "to ours")).toEqual([0, 1]);
    expect((result as { id: string }[]).map(({ id }) => id).sort()).toEqual([idOf(0), idOf(1)].sort());
  });

  test("volatile and compress: reach those who can take it", async () => {
    await heardBy(from());

    await ask(from(), { flags: ["compress"], method: "emit", args: ["compressed", "x".repeat(5000)] });
    const compressed = await heardBy(from());
    await ask(from(), { flags: ["volatile"], method: "emit", args: ["volatile"] });
    const volatile = await heardBy(from());

    expect(hearers(compressed, "compressed")).toEqual(ALL);
    // Who polls has no request open for a moment after each answer, and may miss it.
    const onWebSocket = ALL.filter((i) => clients[i]?.socket.io.engine.transport.name === "websocket");
    expect(hearers(volatile, "volatile")).toEqual(expect.arrayContaining(onWebSocket));
  });

  test.each([
    ["/other", "/"],
    ["/dynamic-1", "/dynamic-2"],
  ])("namespaces: %s hears nothing of %s, though rooms have the same names", async (one, other) => {
    const here = await connectAll(one);
    const there = other === "/" ? clients : await connectAll(other);
    for (const client of [...here, ...there]) await join(client, "red");

    await ask(here[0] as Client, { method: "emit", args: ["all of here"] });
    await ask(here[0] as Client, { to: ["red"], method: "emit", args: ["red of here"] });

    const heard = await heardBy(here[0] as Client, here);
    const elsewhere = await heardBy(there[0] as Client, there);
    expect(hearers(heard, "all of here")).toEqual(ALL);
    expect(hearers(heard, "red of here")).toEqual(ALL);
    expect(elsewhere.flat()).toEqual([]);
    for (const { socket } of [...here, ...there]) socket.disconnect();
  });

  test("dynamic namespaces: their parent reaches all of them, on all workers", async () => {
    const [one, two] = [await connectAll("/dynamic-1"), await connectAll("/dynamic-2")];
    const both = [...one, ...two];

    await ask(one[0] as Client, { via: "parent", method: "emit", args: ["children"] });
    await until("all have heard", () => both.every(({ heard }) => heard.length > 0));

    expect(both.map(({ heard }) => heard)).toEqual(both.map(() => [["children"]]));
    for (const { socket } of both) socket.disconnect();
  });

  // The official adapter waits for a dead worker until its time-outs are over.
  test.runIf(bus === "box")("a worker's death: questions are answered at once, with what is left", async () => {
    const victim = clients[5] as Client;
    for (const { socket } of clients) socket.on("question", (answer: (slot: number) => void) => answer(1));
    for (const i of [4, 5]) clients[i]?.socket.off("question");
    const asked = Promise.all(
      [4, 5].map((i) => new Promise((resolve) => clients[i]?.socket.once("question", resolve))),
    );

    const answers = ask(from(), { timeoutMs: LONG_MS, method: "emitWithAck", args: ["question"] });
    await asked;
    process.kill(victim.pid, "SIGKILL");

    expect((await answers).result).toEqual([1, 1, 1, 1]);
    expect(((await ask(from(), { method: "fetchSockets" })).result as unknown[]).length).toBe(4);
    expect((await ask(from(), { method: "serverSideEmitWithAck", args: ["news", "?"] })).error).toBeUndefined();
    await until("the slot is filled again", async () =>
      (await box.status()).workers.every(({ state }) => state === "ready"),
    );
  });
});

// They went to the TCP socket as they were, past the compression that the app had asked for.
test("with perMessageDeflate, broadcasts are compressed like all else", async () => {
  const env = { WITH_DEFLATE: "1" };
  const box = await startBox({ app: "contract-app.mjs", workers: 2, flags: ["--bus", "box"], env });
  onTestFinished(async () => {
    await box.stop();
  });
  const { socket } = await connectClient(box.url);
  const listener = await connectRaw(Number(new URL(box.url).port));

  await socket.emitWithAck("do", { method: "emit", args: ["long", "x".repeat(100_000)] });
  await listener.next('42["long"');

  const { bytesRead } = Reflect.get(listener.socket, "_socket") as { bytesRead: number };
  expect(bytesRead).toBeLessThan(10_000);
  socket.disconnect();
  listener.socket.terminate();
});
