import { describe, expect, test } from "vitest";
import { keyOf } from "../../src/bench/ledger/message-key.ts";
import type { RoomLedgerReport } from "../../src/bench/ledger/room-ledger.ts";
import { checkOrders, doubtfulRooms, judge } from "../../src/bench/ledger/verdict.ts";
import type { LoadResult } from "../../src/bench/load/load-messages.ts";

const CLEAN: RoomLedgerReport = {
  delivered: 0,
  lost: 0,
  missed: 0,
  duplicates: 0,
  senderOrder: 0,
  stray: 0,
  uncertainMissing: [],
  uncertainSeen: [],
  orders: [],
  isOrderComplete: true,
  examples: [],
};

function resultOf(ledger: Partial<RoomLedgerReport>, openAcks = 0): LoadResult {
  return {
    stats: {
      connects: { attempted: 0, connected: 0, hung: 0, refused: 0, returns: 0, recovered: 0, kicked: 0 },
      measuredSent: 0,
      measuredDelivered: 0,
      latencies: [],
    },
    arrivals: { acked: 0, results: 0, repeatedAcks: 0, lostAnswers: 0, uncertainResults: 0, corrupt: 0 },
    ledger: { ...CLEAN, ...ledger },
    self: { busy: 0, lag: { slots: [], sumUs: 0, maxUs: 0 }, cpuUs: 0, runQueueMs: 0 },
    openAcks,
    unsent: 0,
    notReturned: 0,
    sampledClients: 0,
    pulses: [],
  };
}

const NO_ORDERS = { rooms: 0, examples: [] };
const NOTHING_SENT = { sent: new Int32Array(0), uncertain: [] };

describe("doubtfulRooms", () => {
  const order = (room: number, hash: number, branches = 0) => ({ room, length: 3, hash, branches });

  test("trusts processes that saw the same, and rooms of one process", () => {
    const results = [resultOf({ orders: [order(1, 7), order(2, 8)] }), resultOf({ orders: [order(1, 7)] })];

    expect(doubtfulRooms(results)).toEqual([]);
  });

  test("doubts rooms that processes, or members of one, saw differently", () => {
    const results = [resultOf({ orders: [order(1, 7), order(2, 8, 1)] }), resultOf({ orders: [order(1, 9)] })];

    expect(doubtfulRooms(results).sort()).toEqual([1, 2]);
  });
});

describe("checkOrders", () => {
  test("counts the rooms for which there is no common order, with an example in words", async () => {
    const [a, b, c] = [keyOf(1, 0), keyOf(2, 0), keyOf(1, 1)];
    const rooms = new Map([
      [5, [Float64Array.of(a, b), Float64Array.of(b, a)]],
      [6, [Float64Array.of(a, c), Float64Array.of(a, b)]],
    ]);

    const findings = await checkOrders([5, 6], async (room) => rooms.get(room) ?? []);

    expect(findings.rooms).toBe(1);
    expect(findings.examples[0]).toMatch(/^room 5: .*message 0 of client 1/);
  });
});

describe("judge", () => {
  test("adds up, and expects what arrived and what did not", () => {
    const results = [resultOf({ delivered: 90, lost: 2 }), resultOf({ delivered: 5, missed: 3 }, 1)];

    const { counts, ledger } = judge(results, { sent: Int32Array.of(4, 6), uncertain: [] }, NO_ORDERS);

    expect(counts).toMatchObject({ sent: 10, delivered: 95, expected: 101 });
    expect(ledger).toMatchObject({ ok: false, lost: 3, missed: 3 });
  });

  test("wants an uncertain message for all members as soon as one of any process has it", () => {
    const [seen, unseen] = [keyOf(1, 7), keyOf(1, 8)];
    const results = [
      resultOf({ uncertainMissing: [seen, unseen] }),
      resultOf({ uncertainMissing: [unseen], uncertainSeen: [seen] }),
    ];

    const { ledger } = judge(results, { ...NOTHING_SENT, uncertain: [seen, unseen] }, NO_ORDERS);

    expect(ledger).toMatchObject({ ok: false, lost: 1, uncertain: 2 });
  });

  test("is not ok when the order check ran out of memory", () => {
    const { ledger } = judge([resultOf({ isOrderComplete: false })], NOTHING_SENT, NO_ORDERS);

    expect(ledger.ok).toBe(false);
  });
});
