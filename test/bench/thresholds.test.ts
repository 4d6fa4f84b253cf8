import { describe, expect, test } from "vitest";
import type { Run } from "../../src/bench/compare.ts";
import type { BenchResult } from "../../src/bench/result.ts";
import { summarizeRuns } from "../../src/bench/summary.ts";
import { judge } from "../../src/bench/thresholds.ts";
import { type RunFigures, runResult } from "./run-result.ts";

function resultOf(...runs: (RunFigures & { target: string })[]): BenchResult {
  const made = runs.map((figures, index): Run => {
    const round = runs.slice(0, index).filter((run) => run.target === figures.target).length;
    return {
      round,
      target: figures.target,
      workers: 2,
      voidReasons: figures.voidReasons ?? [],
      result: runResult(figures),
    };
  });
  return {
    format: 1,
    name: "rooms",
    command: "allcores bench rooms",
    startedAt: "2026-01-02T03:04:05.000Z",
    finishedAt: "2026-01-02T03:05:05.000Z",
    machine: { cores: 2, cpu: "", memoryBytes: 0, kernel: "", node: "" },
    servers: [],
    scenarios: [{ scenario: "rooms", params: {}, rounds: 1, summary: summarizeRuns(made), runs: made }],
  };
}

describe("thresholds", () => {
  test("pass when the medians of the server under test are within them", () => {
    const result = resultOf(
      { target: "allcores", p99: 5 },
      { target: "allcores", p99: 99 },
      { target: "allcores", p99: 6 },
    );

    expect(judge(result, { maxP99Ms: 10, minRate: 20_000, noLoss: true })).toEqual({ outcome: "passed", reasons: [] });
  });

  test.each([
    ["a p99 above the limit", { maxP99Ms: 7 }, "rooms: p99 is 8.0 ms, wanted at most 7 ms."],
    ["a rate below the limit", { minRate: 30_000 }, "rooms: 20000.0 delivered/s, wanted at least 30000."],
  ])("are missed by %s", (_case, thresholds, reason) => {
    expect(judge(resultOf({ target: "allcores" }), thresholds)).toEqual({ outcome: "missed", reasons: [reason] });
  });

  test("are missed by one lost message in one of the rounds", () => {
    const result = resultOf({ target: "allcores" }, { target: "allcores", lost: 1 });

    expect(judge(result, { noLoss: true })).toEqual({ outcome: "missed", reasons: ["rooms: allcores: 1 lost."] });
    expect(judge(result, { maxP99Ms: 10 }).outcome).toBe("passed");
  });

  test("are missed when a void run leaves them unknown", () => {
    const result = resultOf({ target: "allcores", voidReasons: ["the load side was the bottleneck"] });

    const verdict = judge(result, { maxP99Ms: 10 });

    expect(verdict.outcome).toBe("missed");
    expect(verdict.reasons).toContain("rooms: p99 is unknown ms, wanted at most 10 ms.");
  });

  test("need not be there for a void run to be a failure", () => {
    const result = resultOf({ target: "allcores", voidReasons: ["the load side was the bottleneck"] });

    expect(judge(result, {}).outcome).toBe("void");
  });

  test("do not judge the servers it is compared with", () => {
    const result = resultOf({ target: "allcores" }, { target: "official", lost: 9, p99: 900, voidReasons: ["9 hung"] });

    expect(judge(result, { maxP99Ms: 10, noLoss: true }).outcome).toBe("passed");
  });
});
