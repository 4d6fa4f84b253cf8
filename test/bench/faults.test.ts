// Servers that do something wrong on purpose: the ledger catches each, end to end.

import type { Server } from "socket.io";
import { describe, expect, test } from "vitest";
import app from "../../dist/src/bench/bench-app.js";
import { runScenario } from "../../dist/src/bench/run-scenario.js";
import type { Params, RunResult, ScenarioPlan } from "../../src/bench/contract.ts";
import { type Relay, startRelay, startServer } from "../helpers/faulty-server.ts";

const SMALL: Params = { clients: 20, rate: 400, seconds: 1, warmupSeconds: 0, connectRate: 0 };
const isTenth = (count: number): boolean => count % 10 === 9;

async function runAgainst(url: string, plan: ScenarioPlan): Promise<RunResult> {
  return runScenario({ settleQuietMs: 2500, loadProcesses: 1, ...plan }, { name: "faulty", urls: [url] });
}

async function runRooms(relay: Relay, params: Params = {}): Promise<RunResult> {
  const server = await startRelay(relay);
  try {
    return await runAgainst(server.url, { scenario: "rooms", params: { ...SMALL, ...params } });
  } finally {
    await server.close();
  }
}

const CLEAN = { lost: 0, missed: 0, duplicates: 0, senderOrder: 0, roomOrder: 0, stray: 0, corrupt: 0 };

describe.concurrent("the ledger", () => {
  test("lets a faultless server pass, with exact counts", async () => {
    const { ledger, counts, voidReasons } = await runRooms((io, _socket, room, payload) => {
      io.to(room).emit("message", payload);
    });

    expect(ledger).toMatchObject({ ...CLEAN, ok: true });
    expect(counts).toMatchObject({ sent: 400, expected: 4000, delivered: 4000 });
    // The load side may have been slow, on a busy machine; that is told, and is no fault of the server.
    expect(voidReasons.filter((reason) => !reason.startsWith("the load side"))).toEqual([]);
  });

  test("catches messages that are dropped for one member", async () => {
    const { ledger, counts, voidReasons } = await runRooms((io, socket, room, payload, count) => {
      io.to(room)
        .except(isTenth(count) ? socket.id : [])
        .emit("message", payload);
    });

    expect(ledger).toMatchObject({ ...CLEAN, ok: false, lost: 40 });
    expect(counts).toMatchObject({ sent: 400, expected: 4000, delivered: 3960 });
    expect(voidReasons).toContain("40 of 4000 messages were lost");
  });

  test("catches messages that are dropped for everybody, also the last ones", async () => {
    const { ledger } = await runRooms((io, _socket, room, payload, count) => {
      if (count < 395) io.to(room).emit("message", payload);
    });

    expect(ledger).toMatchObject({ ...CLEAN, ok: false, lost: 50 });
  });

  test("catches messages that are repeated", async () => {
    const { ledger, counts } = await runRooms((io, socket, room, payload, count) => {
      io.to(room).emit("message", payload);
      if (isTenth(count)) socket.emit("message", payload);
    });

    expect(ledger).toMatchObject({ ...CLEAN, ok: false, duplicates: 40 });
    expect(counts).toMatchObject({ delivered: 4000 });
  });

  test("catches messages of one sender that are swapped", async () => {
    const kept = new Map<string, string>();
    const { ledger } = await runRooms((io, socket, room, payload) => {
      const before = kept.get(socket.id);
      kept.delete(socket.id);
      if (before === undefined) kept.set(socket.id, payload);
      else for (const each of [payload, before]) io.to(room).emit("message", each);
    });

    // 20 senders with 20 messages each, swapped two by two, for 10 members.
    expect(ledger).toMatchObject({ ...CLEAN, ok: false, senderOrder: 2000 });
  });

  test.each([
    ["in one load process", 1],
    ["in different load processes", 2],
  ])("catches members of a room, %s, that see different orders", async (_where, loadProcesses) => {
    // The sender hears its own message a little later than the others, as with a naive cluster.
    const server = await startRelay((_io, socket, room, payload) => {
      socket.to(room).emit("message", payload);
      setTimeout(() => socket.emit("message", payload), 20);
    });
    const result = await runAgainst(server.url, {
      scenario: "room",
      loadProcesses,
      params: { ...SMALL, clients: 2 },
    });
    await server.close();

    expect(result.ledger).toMatchObject({ ...CLEAN, ok: false, roomOrder: 1 });
    expect(result.ledger.examples[0]).toMatch(/its members saw message \d+ of client \d and .* in different orders/);
  });

  test("catches messages that reach people outside the room", async () => {
    const { ledger } = await runRooms((io, _socket, room, payload, count) => {
      if (isTenth(count)) io.emit("message", payload);
      else io.to(room).emit("message", payload);
    });

    expect(ledger).toMatchObject({ ...CLEAN, ok: false, stray: 400 });
  });

  test("catches payloads that are changed on the way, where it reads in full", async () => {
    const { ledger } = await runRooms((io, _socket, room, payload) => {
      io.to(room).emit("message", `${payload.slice(0, -1)}!`);
    });

    // One client of the 20 is read in full; its room gets half of the messages.
    expect(ledger).toMatchObject({ ...CLEAN, ok: false, corrupt: 200, sampledClients: 1 });
  });

  test("counts acks that never come", async () => {
    const server = await startServer((io) => {
      app.setup(io, { slot: 0 });
      let count = 0;
      io.on("connection", (socket) => {
        socket.removeAllListeners("echo");
        socket.on("echo", (payload: string, ack: (answer: string) => void) => {
          if (count++ % 10 !== 9) ack(payload);
        });
      });
    });
    const result = await runAgainst(server.url, { scenario: "echo", params: SMALL });
    await server.close();

    expect(result.ledger).toMatchObject({ ...CLEAN, ok: false, lost: 40 });
    expect(result.counts).toMatchObject({ sent: 400, expected: 400, delivered: 360, acked: 360 });
  });

  test("counts answers that the server did not wait for", async () => {
    const server = await startServer((io) => {
      app.setup(io, { slot: 0 });
      io.on("connection", (socket) => {
        socket.removeAllListeners("ask");
        socket.on("ask", (room: string, payload: string, ack: (answers: number) => void) => {
          io.to(room).emit("question", payload);
          ack(9);
        });
      });
    });
    const result = await runAgainst(server.url, { scenario: "ack", params: { ...SMALL, roomSize: 10, rate: 50 } });
    await server.close();

    expect(result.ledger).toMatchObject({ ...CLEAN, ok: false, lost: 50 });
  });
});

describe.concurrent("what a run tells of a bad server", () => {
  test("a stall is in the latency of every message that was due meanwhile", async () => {
    const { latency, counts } = await runRooms((io, _socket, room, payload, count) => {
      if (count === 100) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
      io.to(room).emit("message", payload);
    });

    expect(counts).toMatchObject({ sent: 400, delivered: 4000 });
    expect(latency.max).toBeGreaterThan(450);
    // Closed-loop clients would have seen one slow message; half the second was due during the stall.
    expect(latency.p90).toBeGreaterThan(200);
  });

  test("connects that are never answered are hung, those that are turned away refused", async () => {
    let count = 0;
    const server = await startServer((io: Server) => {
      app.setup(io, { slot: 0 });
      io.use((_socket, next) => {
        count++;
        if (count % 4 === 0) return;
        next(count % 4 === 1 ? new Error("no") : undefined);
      });
    });
    const params = { clients: 20, seconds: 1, hungSeconds: 5 };
    const result = await runAgainst(server.url, { scenario: "connect", params });
    await server.close();

    expect(result.connects).toMatchObject({ attempted: 20, connected: 10, hung: 5, refused: 5, byWorker: { 0: 10 } });
    expect(result.voidReasons).toEqual([]);
  });

  test("clients that are kicked out did not come back", async () => {
    const { voidReasons, ledger } = await runRooms((io, socket, room, payload, count) => {
      io.to(room).emit("message", payload);
      if (count === 200) socket.disconnect();
    });

    expect(voidReasons).toContain("1 clients did not come back");
    expect(ledger.missed).toBeGreaterThan(0);
  });

  // A member is in its room before it hears so: what comes in between is not after a gap that nobody can explain.
  test("messages that come before the ack of a join are no proof of a loss", async () => {
    const server = await startServer((io) => {
      app.setup(io, { slot: 0 });
      io.on("connection", (socket) => {
        socket.removeAllListeners("join");
        socket.on("join", (room: string, ack: () => void) => {
          void socket.join(room);
          setTimeout(ack, 300);
        });
      });
    });
    const params = { ...SMALL, seconds: 3, rate: 200, everySeconds: 2, awaySeconds: 1 };
    const result = await runAgainst(server.url, { scenario: "jitter", params });
    await server.close();

    expect(result.ledger).toMatchObject({ ...CLEAN, missed: expect.any(Number) });
    expect(result.ledger.missed).toBeGreaterThan(0);
  });
});
