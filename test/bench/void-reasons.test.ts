import { describe, expect, test } from "vitest";
import { DEFAULT_LOAD_LIMITS, type RunOutcome, voidReasons } from "../../src/bench/void-reasons.ts";
import { runResult } from "./run-result.ts";

function outcome(found: Partial<RunOutcome> = {}): RunOutcome {
  const { ledger, counts, load } = runResult();
  return {
    ledger,
    counts,
    ordersRooms: true,
    load,
    limits: DEFAULT_LOAD_LIMITS,
    isOrderComplete: true,
    unsent: 0,
    notConnected: 0,
    notReturned: 0,
    hasTraffic: true,
    chaosError: undefined,
    ...found,
  };
}

const { counts, ledger, load } = runResult();

describe("members of a room that saw different orders", () => {
  const unordered = { ledger: { ...ledger, ok: false, roomOrder: 3 } };

  test("void the run of a server that promises one order", () => {
    expect(voidReasons(outcome(unordered)).server).toEqual(["members of 3 rooms saw different orders"]);
  });

  test("do not void the run of a server that promises none", () => {
    expect(voidReasons(outcome({ ...unordered, ordersRooms: false }))).toEqual({ server: [], bench: [] });
  });
});

test("a run without fault is not void", () => {
  expect(voidReasons(outcome())).toEqual({ server: [], bench: [] });
});

describe("a run that is void", () => {
  test("is so by the server when messages or clients did not arrive", () => {
    const { server, bench } = voidReasons(
      outcome({ ledger: { ...ledger, ok: false, lost: 2, missed: 7 }, notReturned: 1, unsent: 4 }),
    );

    expect(bench).toEqual([]);
    expect(server).toEqual([
      "2 of 200000 messages were lost",
      "7 messages were missed by clients whose session was not recovered",
      "1 clients did not come back",
      "4 messages had no client to send them when they were due",
    ]);
  });

  test.each<[string, Partial<RunOutcome>, RegExp]>([
    ["clients that never got in", { notConnected: 3 }, /^3 clients never got in$/],
    ["traffic of which nothing arrived", { counts: { ...counts, delivered: 0 } }, /^nothing was delivered$/],
  ])("is so by the server for %s", (_what, found, reason) => {
    const { server, bench } = voidReasons(outcome(found));

    expect(bench).toEqual([]);
    expect(server).toEqual([expect.stringMatching(reason)]);
  });

  test.each<[string, Partial<RunOutcome>, RegExp]>([
    ["too busy a load side", { load: { ...load, maxBusy: 0.95 } }, /a load process was 95 % busy/],
    ["a schedule that was missed", { load: { ...load, lagP99Ms: 61 } }, /left 61 ms late or more/],
    ["harm that could not be done", { chaosError: new Error("no reload") }, /^no reload$/],
    ["more messages than can be checked", { isOrderComplete: false }, /shorten the run/],
  ])("is so by the bench for %s", (_what, found, reason) => {
    const { server, bench } = voidReasons(outcome(found));

    expect(server).toEqual([]);
    expect(bench).toEqual([expect.stringMatching(reason)]);
  });
});
