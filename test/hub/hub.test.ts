// The hub against a naive model of it: any interleaving of what workers say, and what each would have to be told.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodePublish, encodePublish, HUB_KIND, PUBLISH_FLAG, sequenceOf } from "../../src/bus/hub-frames.ts";
import type { HubDownMessage, HubRestoredMessage } from "../../src/bus/hub-messages.ts";
import { formatPosition } from "../../src/bus/position.ts";
import { Hub } from "../../src/hub/hub.ts";
import type { HubWorker } from "../../src/hub/hub-worker.ts";

const NAMESPACE = "/";
const HEADER_BYTES = 5;

/** A worker that writes down what it is told. */
class TestWorker {
  readonly delivered: number[] = [];
  readonly messages: { message: HubDownMessage; body: Buffer }[] = [];
  readonly worker: HubWorker;

  constructor(hub: Hub, slot: number) {
    this.worker = hub.addWorker(slot, {
      send: (message, body = Buffer.alloc(0)) => this.messages.push({ message, body: Buffer.from(body) }),
      sendFrame: (frame) => {
        if (frame[4] === HUB_KIND.publish) this.delivered.push(sequenceOf(frame.subarray(HEADER_BYTES)));
      },
    });
    hub.onMessage(this.worker, { type: "hub:namespace", namespace: NAMESPACE }, Buffer.alloc(0), 0);
  }

  last<T extends HubDownMessage["type"]>(type: T): { message: Extract<HubDownMessage, { type: T }>; body: Buffer } {
    const found = this.messages.findLast(({ message }) => message.type === type);
    if (found === undefined) throw new Error(`no ${type} came`);
    return found as { message: Extract<HubDownMessage, { type: T }>; body: Buffer };
  }
}

interface Options {
  readonly maxLogBytes?: number;
  readonly windowMs?: number;
}

function newHub({ maxLogBytes = 64 * 1_048_576, windowMs = 1000 }: Options = {}): Hub {
  return new Hub({ maxLogBytes, windowMs, maxDetached: 1000 });
}

let lastTicket = 0;

function attach(hub: Hub, { worker }: TestWorker, key: number, pid: string): void {
  lastTicket++;
  const identity = { namespace: NAMESPACE, sid: `sid-${pid}`, pid };
  hub.onMessage(worker, { type: "hub:attach", ticket: lastTicket, key, ...identity }, Buffer.alloc(0), 0);
}

function changeRooms(
  hub: Hub,
  { worker }: TestWorker,
  type: "hub:join" | "hub:leave",
  key: number,
  room: string,
): void {
  lastTicket++;
  hub.onMessage(worker, { type, ticket: lastTicket, key, rooms: [room] }, Buffer.alloc(0), 0);
}

function publish(hub: Hub, { worker }: TestWorker, rooms: string[], except: string[] = [], payload = "x"): void {
  lastTicket++;
  const frame = encodePublish({
    flags: PUBLISH_FLAG.recoverable,
    ticket: lastTicket,
    namespace: NAMESPACE,
    rooms,
    except,
    firstFrameBytes: 0,
    payload: Buffer.from(payload),
  });
  hub.onFrame(worker, HUB_KIND.publish, frame.subarray(HEADER_BYTES), 0);
  hub.onBatchEnd(worker);
}

function restore(hub: Hub, test: TestWorker, key: number, pid: string, sequence: number, now = 0): HubRestoredMessage {
  const position = formatPosition({ epoch: hub.epoch, sequence });
  hub.onMessage(test.worker, { type: "hub:restore", key, namespace: NAMESPACE, pid, position }, Buffer.alloc(0), now);
  return test.last("hub:restored").message;
}

/** The sequences of the messages that came with a restored session. */
function missedBy(test: TestWorker): number[] {
  const { message, body } = test.last("hub:restored");
  let at = message.parts[0] ?? 0;
  return message.parts.slice(1).map((length) => {
    const part = body.subarray(at, at + length);
    at += length;
    decodePublish(part);
    return sequenceOf(part);
  });
}

describe("the hub", () => {
  test("tells a worker only of messages that concern it, all workers in the same order", () => {
    const hub = newHub();
    const [a, b, c] = [0, 1, 2].map((slot) => new TestWorker(hub, slot)) as [TestWorker, TestWorker, TestWorker];
    attach(hub, a, 1, "pa");
    attach(hub, b, 1, "pb");
    changeRooms(hub, a, "hub:join", 1, "red");
    changeRooms(hub, b, "hub:join", 1, "red");

    publish(hub, c, ["red"]);
    publish(hub, c, ["blue"]);
    publish(hub, c, ["red"]);
    publish(hub, c, []);

    expect(a.delivered).toEqual([1, 3, 4]);
    expect(b.delivered).toEqual([1, 3, 4]);
    expect(c.delivered).toEqual([]);
  });

  test("recovers exactly what was missed, for any history", () => {
    const room = fc.constantFrom("red", "blue", "green");
    const action = fc.oneof(
      { weight: 2, arbitrary: fc.record({ type: fc.constantFrom("join", "leave"), room }) },
      {
        weight: 5,
        arbitrary: fc.record({
          type: fc.constant("publish" as const),
          rooms: fc.uniqueArray(room, { maxLength: 2 }),
          except: fc.uniqueArray(room, { maxLength: 1 }),
        }),
      },
    );

    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), fc.nat(60), fc.boolean(), (actions, from, isKilled) => {
        const hub = newHub();
        const [home, other] = [new TestWorker(hub, 0), new TestWorker(hub, 1)];
        attach(hub, home, 1, "p");
        const rooms = new Set<string>();
        const concerning: number[] = [];
        let sequence = 0;
        for (const step of actions) {
          if (step.type === "publish") {
            const { rooms: to, except } = step as { rooms: string[]; except: string[] };
            publish(hub, other, to, except);
            sequence++;
            const isMeant = to.length === 0 || to.some((name) => rooms.has(name));
            if (isMeant && !except.some((name) => rooms.has(name))) concerning.push(sequence);
          } else {
            const { room: name } = step as { room: string };
            changeRooms(hub, home, step.type === "join" ? "hub:join" : "hub:leave", 1, name);
            if (step.type === "join") rooms.add(name);
            else rooms.delete(name);
          }
        }
        const position = Math.min(from, sequence);
        if (isKilled) hub.removeWorker(home.worker, 0);

        const { outcome } = restore(hub, other, 9, "p", position);

        expect(outcome).toEqual({ sid: "sid-p", rooms: expect.arrayContaining([...rooms]) });
        expect(missedBy(other)).toEqual(concerning.filter((one) => one > position));
      }),
      { numRuns: 1000 },
    );
  });

  // A stay without messages of its own was forgotten, and with it that it kept a message away.
  test("does not replay what an excepted room kept away, although the client has left the room", () => {
    const hub = newHub();
    const [home, other] = [new TestWorker(hub, 0), new TestWorker(hub, 1)];
    attach(hub, home, 1, "p");
    changeRooms(hub, home, "hub:join", 1, "blue");
    publish(hub, other, [], ["blue"]);
    changeRooms(hub, home, "hub:leave", 1, "blue");

    restore(hub, other, 2, "p", 0);

    expect(missedBy(other)).toEqual([]);
  });

  test("replays nothing when the log has lost anything of it", () => {
    const hub = newHub({ maxLogBytes: 2 * 1_048_576 });
    const [home, other] = [new TestWorker(hub, 0), new TestWorker(hub, 1)];
    attach(hub, home, 1, "p");
    changeRooms(hub, home, "hub:join", 1, "red");
    for (let i = 0; i < 40; i++) publish(hub, other, ["red"], [], "x".repeat(100_000));
    hub.removeWorker(home.worker, 0);

    const early = restore(hub, other, 2, "p", 1).outcome;
    const late = restore(hub, other, 3, "p", 35).outcome;

    expect(early).toBe("trimmed");
    expect(late).toMatchObject({ sid: "sid-p" });
    expect(missedBy(other)).toEqual([36, 37, 38, 39, 40]);
  });

  test("recovers a quiet room's client although loud rooms have filled the log since", () => {
    const hub = newHub({ maxLogBytes: 2 * 1_048_576 });
    const [home, other] = [new TestWorker(hub, 0), new TestWorker(hub, 1)];
    attach(hub, home, 1, "quiet");
    attach(hub, other, 1, "loud");
    changeRooms(hub, home, "hub:join", 1, "library");
    changeRooms(hub, other, "hub:join", 1, "disco");
    for (let i = 0; i < 40; i++) publish(hub, other, ["disco"], [], "x".repeat(100_000));
    hub.removeWorker(home.worker, 0);

    const { outcome } = restore(hub, other, 2, "quiet", 0);

    expect(outcome).toMatchObject({ sid: "sid-quiet" });
    expect(missedBy(other)).toEqual([]);
  });

  test("closes the old connection before the session goes on elsewhere", () => {
    const hub = newHub();
    const [home, other] = [new TestWorker(hub, 0), new TestWorker(hub, 1)];
    attach(hub, home, 7, "p");

    restore(hub, other, 1, "p", 0);
    publish(hub, home, []);

    expect(home.last("hub:evict").message).toMatchObject({ sid: "sid-p", key: 7 });
    expect(other.delivered).toEqual([1]);
    // What the old connection's end sets off comes late and must not hurt the session where it is now.
    hub.onMessage(home.worker, { type: "hub:detach", key: 7, isRecoverable: false }, Buffer.alloc(0), 0);
    expect(restore(hub, home, 8, "p", 1).outcome).toMatchObject({ sid: "sid-p" });
  });

  test.each([
    ["a session it never had", "nobody", 0, 0, "unknown"],
    ["a position it has not reached", "p", 99, 0, "unknown"],
    ["a session that waited too long", "p", 0, 5000, "expired"],
  ])("refuses %s", (_what, pid, sequence, now, outcome) => {
    const hub = newHub({ windowMs: 1000 });
    const [home, other] = [new TestWorker(hub, 0), new TestWorker(hub, 1)];
    attach(hub, home, 1, "p");
    hub.removeWorker(home.worker, 0);

    expect(restore(hub, other, 1, pid, sequence, now).outcome).toBe(outcome);
  });

  test("refuses a position of another life of the hub", () => {
    const hub = newHub();
    const worker = new TestWorker(hub, 0);
    attach(hub, worker, 1, "p");
    const position = formatPosition({ epoch: "00000000", sequence: 0 });

    const request = { type: "hub:restore", key: 2, namespace: NAMESPACE, pid: "p", position } as const;
    hub.onMessage(worker.worker, request, Buffer.alloc(0), 0);

    expect(worker.last("hub:restored").message.outcome).toBe("unknown");
  });

  test("sends a message right behind socketsJoin to the sockets that join by it", () => {
    const hub = newHub();
    const [home, other] = [new TestWorker(hub, 0), new TestWorker(hub, 1)];
    attach(hub, home, 1, "p");
    const target = { rooms: [], except: [] };
    const operation = { type: "hub:operation", operation: "join", namespace: NAMESPACE, rooms: ["new"] } as const;

    hub.onMessage(other.worker, { ...operation, ticket: 1, target }, Buffer.alloc(0), 0);
    publish(hub, other, ["new"]);

    expect(home.last("hub:ordered").message.sequence).toBe(1);
    expect(home.delivered).toEqual([2]);
  });

  test("a worker that dies owes no answer: the asker is told at once", () => {
    const hub = newHub();
    const [asker, answers, dies] = [0, 1, 2].map((slot) => new TestWorker(hub, slot)) as [
      TestWorker,
      TestWorker,
      TestWorker,
    ];
    const ask = { type: "hub:ask", ticket: 5, namespace: NAMESPACE, question: "serverSideEmit", rooms: [] } as const;
    hub.onMessage(asker.worker, ask, Buffer.alloc(0), 0);
    hub.onMessage(answers.worker, { type: "hub:answer", to: 0, ticket: 5, isLast: true }, Buffer.from("yes"), 0);

    hub.removeWorker(dies.worker, 0);

    const told = asker.messages.filter(({ message }) => message.type === "hub:answered");
    expect(told.map(({ message, body }) => [message, String(body)])).toEqual([
      [{ type: "hub:answered", ticket: 5, hasBody: true, isLast: true }, "yes"],
      [{ type: "hub:answered", ticket: 5, hasBody: false, isLast: true }, ""],
    ]);
    expect(hub.stats().openQuestions).toBe(0);
  });

  test("forgets everything about clients that do not return", () => {
    const hub = newHub({ windowMs: 1000 });
    const [home, other] = [new TestWorker(hub, 0), new TestWorker(hub, 1)];
    for (let key = 1; key <= 50; key++) {
      attach(hub, home, key, `p${key}`);
      changeRooms(hub, home, "hub:join", key, `room ${key}`);
      publish(hub, other, [`room ${key}`]);
      changeRooms(hub, home, "hub:leave", key, `room ${key}`);
    }
    hub.removeWorker(home.worker, 0);

    hub.sweep(1001);

    expect(hub.stats()).toMatchObject({ detached: 0, rooms: 0, logMessages: 0 });
  });

  test("refuses bytes that are no publish frame", () => {
    const hub = newHub();
    const worker = new TestWorker(hub, 0);

    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          hub.onFrame(worker.worker, HUB_KIND.publish, Buffer.from(bytes), 0);
        } catch (error) {
          expect(error).toMatchObject({ code: "ALLCORES_ERR_BUS_FRAME" });
        }
      }),
    );
  });
});
