// Who hears what, and in which order: whatever crosses, whoever is lost and comes back, whichever worker dies, and
// also when the box is restarted in between.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type BoxWorker,
  ClientBox,
  type ClientBoxOptions,
  type Tone,
  tick,
  turn,
  type Way,
} from "../helpers/client-box.ts";

const WORKERS = 3;
const CLIENTS = 4;
const BOX = {
  canRecover: true,
  workers: WORKERS,
  clients: CLIENTS,
  hasSlowDoor: false,
  maxLogBytes: 64 * 1_048_576,
  padding: 0,
};
const WAYS = ["websocket", "polling", "wavering", "refused"] as const satisfies readonly Way[];

const worker = fc.nat(WORKERS - 1);
const client = fc.nat(CLIENTS - 1);
const room = fc.constantFrom("red", "blue");
/** A room of the app, or a client's own. */
const target = fc.oneof({ weight: 3, arbitrary: room }, { weight: 2, arbitrary: client });
/** Packets that were on their way to a client when its connection was lost. */
const lost = fc.nat(4);
const way = fc.constantFrom(...WAYS);
const count = fc.integer({ min: 1, max: 4 });

const say = fc.record({
  type: fc.constant("say" as const),
  worker,
  client,
  tone: fc.constantFrom<Tone>("kept", "kept", "kept", "kept", "volatile", "local", "asking"),
  to: fc.uniqueArray(target, { maxLength: 2 }),
  except: fc.oneof(fc.constant([]), fc.tuple(target)),
});
const change = fc.record({ type: fc.constantFrom("join" as const, "leave" as const), client, room });
const move = fc.record({
  type: fc.constantFrom("socketsJoin" as const, "socketsLeave" as const),
  worker,
  to: fc.uniqueArray(target, { maxLength: 1 }),
  except: fc.uniqueArray(target, { maxLength: 1 }),
  room,
});
const carry = fc.record({ type: fc.constantFrom("up" as const, "down" as const), worker, count });

const step = fc.oneof(
  { weight: 8, arbitrary: say },
  { weight: 3, arbitrary: change },
  { weight: 2, arbitrary: move },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("drop" as const), client, lost, isNoticed: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant("comeBack" as const), client, worker, lost, way }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("notice" as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("kick" as const), client }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("kill" as const), worker, carriesRest: fc.boolean(), lost }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("restart" as const), lost }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("giveUp" as const), isHeard: fc.boolean() }) },
  { weight: 12, arbitrary: carry },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("tick" as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("settle" as const) }) },
);

const steps = fc.array(step, { maxLength: 60, size: "max" });

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function take(box: ClientBox, one: Step): Promise<void> {
  const somebody = "client" in one ? box.clients[one.client] : undefined;
  const chosen = "worker" in one ? box.workers[one.worker] : undefined;
  const { connection } = somebody ?? {};
  const socket = connection?.worker.socketOf(connection);
  const names = (targets: readonly (string | number)[]): string[] =>
    targets.map((name) => (typeof name === "string" ? name : (box.clients[name]?.life?.sid ?? "nobody")));
  switch (one.type) {
    case "say":
      if (one.tone === "asking") {
        if (connection !== undefined && socket !== undefined)
          box.say(connection.worker, one.tone, [socket.id], [], socket);
      } else if (chosen !== undefined) box.say(chosen, one.tone, names(one.to), names(one.except));
      break;
    case "join":
      void socket?.join(one.room);
      break;
    case "leave":
      void socket?.leave(one.room);
      break;
    case "socketsJoin":
    case "socketsLeave":
      chosen?.io.to(names(one.to)).except(names(one.except))[one.type](one.room);
      break;
    case "drop": {
      const dropped = somebody?.drop(one.lost);
      if (one.isNoticed) dropped?.lose();
      break;
    }
    case "comeBack":
      if (somebody !== undefined && chosen !== undefined) box.connect(somebody, chosen, one.way, one.lost);
      break;
    case "notice":
      box.noticeLoss();
      break;
    case "kick":
      if (somebody !== undefined) box.kick(somebody);
      break;
    case "kill":
      if (chosen !== undefined) box.kill(chosen, one.carriesRest, one.lost);
      break;
    case "restart":
      await box.restart(one.lost);
      break;
    case "giveUp":
      await box.giveUp(one.isHeard);
      break;
    case "up":
      chosen?.carryUp(one.count);
      break;
    case "down":
      chosen?.carryDown(one.count);
      break;
    case "tick":
      await tick();
      break;
    case "settle":
      await box.settle();
      break;
  }
}

/** Everybody is there and has heard everything, then this happens, then everybody comes back. */
async function play(all: readonly Step[], options: Partial<ClientBoxOptions> = {}): Promise<ClientBox> {
  const box = new ClientBox({ ...BOX, ...options });
  for (const [i, one] of box.clients.entries()) box.connect(one, box.workers[i % WORKERS] as never, WAYS[i % 3] as Way);
  await box.settle();
  for (const one of all) {
    await take(box, one);
    await turn();
  }
  await comeBack(box);
  box.end();
  box.ledger.judge(box.clients.flatMap(({ lives }) => lives));
  return box;
}

/** Everybody who is not there comes back, as often as it takes: an old connection may have got in the way of a new one. */
async function comeBack(box: ClientBox): Promise<void> {
  const [home] = box.workers;
  do {
    for (const one of box.clients) if (!one.isThere) box.connect(one, home as BoxWorker, "websocket");
    await box.settle();
    for (const one of box.clients) one.read();
  } while (box.clients.some((one) => !one.isThere));
}

/** How many histories are tried. A thousand take some seconds; more of them by hand: `NUM_RUNS=20000 npx vitest run FILE`. */
const NUM_RUNS = Number(process.env.NUM_RUNS ?? 1000);
const TIMEOUT_MS = 10_000 + 50 * NUM_RUNS;

describe("deliveries", () => {
  test("reach whom they are for, once and in one order, for any history", { timeout: TIMEOUT_MS }, async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (all, hasSlowDoor) => {
        const box = await play(all, { hasSlowDoor });

        expect(box.ledger.faults).toEqual([]);
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test("reach whom they are for, once and in one order, without recovery", { timeout: TIMEOUT_MS }, async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (all, hasSlowDoor) => {
        const box = await play(all, { canRecover: false, hasSlowDoor });

        expect(box.ledger.faults).toEqual([]);
      }),
      { numRuns: Math.ceil(NUM_RUNS / 4) },
    );
  });

  test("reach whom they are for, or who comes back is told that some are gone, when the hub keeps little", {
    timeout: TIMEOUT_MS,
  }, async () => {
    let trimmed = 0;

    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const { ledger } = await play(all, { maxLogBytes: 2 * 1_048_576, padding: 300_000 });

        trimmed += ledger.trimmed;
        expect(ledger.faults).toEqual([]);
      }),
      { numRuns: Math.ceil(NUM_RUNS / 20) },
    );
    expect(trimmed).toBeGreaterThan(0);
  });

  // The old connection's worker was told to close a socket that Socket.IO had not made yet, and closed nothing: the client
  // waited until the hub gave that worker up.
  test("go on for a client that returns twice at once", async () => {
    const box = await play([comesBack(0), comesBack(0)]);

    expect(box.ledger.faults).toEqual([]);
  });

  // The first of them was ended while it waited in the middleware, and ended a second time when it came out of there. Its
  // id was the next one's by then, which was taken off the namespace and heard nothing any more.
  test("go on for a client that returns while its last return waits in the middleware", async () => {
    const box = await play([comesBack(0), comesBack(0)], { hasSlowDoor: true });

    expect(box.ledger.faults).toEqual([]);
  });

  // A CONNECT that waited for its turn when its connection was closed let go, at its turn, of what was held for the next
  // connection of its client, and said it to nobody.
  test("go on for a client whose last connection was closed before its CONNECT, by a worker that was given up", async () => {
    const up: Step = { type: "up", worker: 1, count: 1 };
    const kill: Step = { type: "kill", worker: 0, carriesRest: false, lost: 0 };
    const returns: Step = { ...comesBack(3), worker: 1 };
    const box = await play([
      kill,
      returns,
      up,
      returns,
      up,
      { ...says("red"), worker: 1 },
      { type: "giveUp", isHeard: true },
    ]);

    expect(box.ledger.faults).toEqual([]);
  });

  // Restored, told to close that, and restored for the next connection, all in one chunk: two sockets of one id shared what
  // was for the client, and its messages.
  test("go on for a client that returns twice to a worker that hangs until it is given up", async () => {
    const up: Step = { type: "up", worker: 0, count: 2 };
    const kill: Step = { type: "kill", worker: 2, carriesRest: false, lost: 0 };
    const giveUp: Step = { type: "giveUp", isHeard: false };
    const box = await play([comesBack(2), comesBack(2), up, kill, giveUp]);

    expect(box.ledger.faults).toEqual([]);
  });

  // A socket left at once what its worker looked at for its clients, and the hub gives a message its place a little later:
  // who was told to leave right after a message never heard it, but would have if it had come back.
  test("reach a socket that leaves the room right after, and none that joins it right after", async () => {
    const [toRed, toBlue] = [says("red"), says("blue")];
    const leaves: Step = { type: "leave", client: 0, room: "red" };
    const joins: Step = { type: "join", client: 0, room: "blue" };

    const box = await play([toRed, leaves, toBlue, joins, toBlue]);

    const [greeting, ...heard] = box.clients[0]?.life?.heard.map(({ number }) => number - CLIENTS) ?? [];
    expect(greeting).toBeLessThanOrEqual(0);
    expect(heard).toEqual([1, 3]);
  });
});

function says(to: string): Extract<Step, { type: "say" }> {
  return { type: "say", worker: 0, client: 0, tone: "kept", to: [to], except: [] };
}

function comesBack(client: number): Extract<Step, { type: "comeBack" }> {
  return { type: "comeBack", client, worker: 0, lost: 0, way: "websocket" };
}
