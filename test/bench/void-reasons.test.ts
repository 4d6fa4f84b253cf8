import { describe, expect, test } from "vitest";
import { DEFAULT_LOAD_LIMITS, type RunOutcome, voidReasons } from "../../src/bench/void-reasons.ts";
import { runResult } from "./run-result.ts";

function outcome(ordersRooms: boolean): RunOutcome {
  const { ledger, counts, load } = runResult();
  return {
    ledger: { ...ledger, ok: false, roomOrder: 3 },
    counts,
    ordersRooms,
    load,
    limits: DEFAULT_LOAD_LIMITS,
    isOrderComplete: true,
    unsent: 0,
    notConnected: 0,
    notReturned: 0,
    hasTraffic: true,
    chaosError: undefined,
  };
}

describe("members of a room that saw different orders", () => {
  test("void the run of a server that promises one order", () => {
    expect(voidReasons(outcome(true))).toEqual(["members of 3 rooms saw different orders"]);
  });

  test("do not void the run of a server that promises none", () => {
    expect(voidReasons(outcome(false))).toEqual([]);
  });
});
