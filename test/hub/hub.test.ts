// The hub against a naive model of it: any interleaving of what workers say, and what each would have to be told.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HUB_KIND } from "../../src/bus/hub-frames.ts";
import { formatPosition } from "../../src/bus/position.ts";
import {
  ask,
  attach,
  changeRooms,
  missedBy,
  NAMESPACE,
  newHub,
  publish,
  restore,
  TestWorker,
} from "../helpers/test-hub.ts";

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

  // Each replay may be megabytes: a thousand at once went past the byte limit of a worker that was well.
  test("holds replays back from a worker that has not taken the last ones", () => {
    const hub = newHub();
    const [home, other] = [new TestWorker(hub, 0), new TestWorker(hub, 1)];
    attach(hub, home, 1, "p");
    other.link.queuedBytes = 64 * 1_048_576;
    const position = formatPosition({ epoch: hub.epoch, sequence: 0 });
    const request = { type: "hub:restore", key: 2, namespace: NAMESPACE, pid: "p", position } as const;

    hub.onMessage(other.worker, request, Buffer.alloc(0), 0);
    const answers = () => other.messages.filter(({ message }) => message.type === "hub:restored").length;
    const before = answers();
    other.link.queuedBytes = 0;
    hub.onDrain(other.worker, 0);

    expect([before, answers()]).toEqual([0, 1]);
  });

  test("closes the old connection before the session goes on elsewhere, after what came from it last", () => {
    const hub = newHub();
    const [home, other] = [new TestWorker(hub, 0), new TestWorker(hub, 1)];
    attach(hub, home, 7, "p");
    home.closesEvicted = false;
    const answers = () => other.messages.filter(({ message }) => message.type === "hub:restored").length;

    ask(hub, other, 1, "p", 0);
    publish(hub, home, []);
    const before = answers();
    home.detach(hub, 7);

    expect(home.last("hub:evict").message).toMatchObject({ sid: "sid-p", key: 7 });
    expect([before, answers()]).toEqual([0, 1]);
    expect(missedBy(other)).toEqual([1]);
  });

  test("waits only so long for a worker that closes nothing", () => {
    const hub = newHub();
    const [home, other] = [new TestWorker(hub, 0), new TestWorker(hub, 1)];
    attach(hub, home, 7, "p");
    home.closesEvicted = false;
    ask(hub, other, 1, "p", 0);

    hub.sweep(1000);
    publish(hub, home, []);

    expect(other.last("hub:restored").message.outcome).toMatchObject({ sid: "sid-p" });
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
    const move = { type: "hub:move", operation: "join", namespace: NAMESPACE, rooms: ["new"] } as const;

    hub.onMessage(other.worker, { ...move, ticket: 1, target }, Buffer.alloc(0), 0);
    publish(hub, other, ["new"]);

    expect(home.last("hub:moved").message).toMatchObject({ sequence: 1, sids: ["sid-p"], rooms: ["new"] });
    expect(home.delivered).toEqual([2]);
  });

  test("a worker that dies owes no answer: the asker is told at once", () => {
    const hub = newHub();
    const [asker, answers, dies] = [0, 1, 2].map((slot) => new TestWorker(hub, slot)) as [
      TestWorker,
      TestWorker,
      TestWorker,
    ];
    const question = {
      type: "hub:ask",
      ticket: 5,
      namespace: NAMESPACE,
      question: "serverSideEmit",
      rooms: [],
    } as const;
    hub.onMessage(asker.worker, question, Buffer.alloc(0), 0);
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
