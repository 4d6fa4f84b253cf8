import { describe, expect, test } from "vitest";
import { type Contender, compare } from "../../src/bench/compare.ts";
import type { RunScenario } from "../../src/bench/contract.ts";
import { summarizeRuns } from "../../src/bench/summary.ts";
import { AllcoresError } from "../../src/errors.ts";
import { runResult } from "./run-result.ts";

/** A server that only remembers what happened to it. */
function contender(name: string, log: string[]): Contender {
  return {
    workers: 2,
    kind: {
      name,
      summary: "",
      packages: [],
      settings: [],
      usesWorkers: true,
      ordersRooms: true,
      can: { reload: false, killWorker: false },
      start: async () => {
        log.push(`start ${name}`);
        const stop = async () => void log.push(`stop ${name}`);
        return { name, urls: [], pids: () => ({}), complaints: () => `${name} is sorry`, control: { stop } };
      },
    },
  };
}

const runAll: RunScenario = async (_plan, target) => runResult({ target: target.name });

describe("a comparison", () => {
  test("goes round after round through all servers, one at a time", async () => {
    const log: string[] = [];

    await compare([contender("a", log), contender("b", log)], 2, { scenario: "rooms" }, runAll);

    expect(log).toEqual(["start a", "stop a", "start b", "stop b", "start a", "stop a", "start b", "stop b"]);
  });

  test("stops the server and goes on when a run breaks off: that run is void", async () => {
    const log: string[] = [];
    const breaksOffAtA: RunScenario = async (_plan, target) => {
      if (target.name === "a") throw new Error("all clients hung");
      return runResult({ target: target.name });
    };

    const runs = await compare([contender("a", log), contender("b", log)], 1, { scenario: "rooms" }, breaksOffAtA);

    expect(log).toEqual(["start a", "stop a", "start b", "stop b"]);
    expect(runs.map((run) => run.voidReasons)).toEqual([["all clients hung"], []]);
  });

  test("keeps what the server wrote to stderr, for void runs alone", async () => {
    const voidAtA: RunScenario = async (_plan, target) => {
      return runResult({ target: target.name, voidReasons: target.name === "a" ? ["9 messages were lost"] : [] });
    };

    const runs = await compare([contender("a", []), contender("b", [])], 1, { scenario: "rooms" }, voidAtA);

    expect(runs.map((run) => run.complaints)).toEqual(["a is sorry", undefined]);
  });

  test("ends at once when it was asked for what cannot be done", async () => {
    const refuses: RunScenario = async () => {
      throw new AllcoresError("ALLCORES_ERR_USAGE", "not a loopback address");
    };

    const comparison = compare([contender("a", [])], 3, { scenario: "rooms" }, refuses);

    await expect(comparison).rejects.toThrow("not a loopback address");
  });

  test("ends when it is told to, and stops the server first", async () => {
    const log: string[] = [];
    const interrupt = new AbortController();
    const interrupted: RunScenario = async () => {
      interrupt.abort(new Error("Ctrl-C"));
      throw new Error("the run was aborted");
    };

    const comparison = compare([contender("a", log), contender("b", log)], 3, { scenario: "rooms" }, interrupted, {
      signal: interrupt.signal,
    });

    await expect(comparison).rejects.toThrow("Ctrl-C");
    expect(log).toEqual(["start a", "stop a"]);
  });
});

describe("the summary of a comparison", () => {
  test("divides within a round and quotes the median of the ratios", () => {
    const runs = [10, 20, 30].flatMap((ours, round) => [
      { round, target: "allcores", workers: 4, voidReasons: [], result: runResult({ costUs: ours }) },
      { round, target: "official", workers: 4, voidReasons: [], result: runResult({ costUs: ours * (2 + round) }) },
    ]);

    const summary = summarizeRuns(runs);

    expect(summary.reference).toBe("allcores");
    expect(summary.targets[1]?.ratios.cpuUsPerMessage).toMatchObject({ median: 3, min: 2, max: 4, count: 3 });
    expect(summary.targets[0]?.ratios).toEqual({});
  });

  test("gives no figure of a void run", () => {
    const runs = [
      {
        round: 0,
        target: "a",
        workers: 2,
        voidReasons: ["the load side was the bottleneck"],
        result: runResult({ p99: 1 }),
      },
      { round: 1, target: "a", workers: 2, voidReasons: [], result: runResult({ p99: 50 }) },
    ];

    const [a] = summarizeRuns(runs).targets;

    expect(a?.measures.p99).toMatchObject({ median: 50, count: 1 });
    expect(a).toMatchObject({ runs: 2, voidRuns: 1, voidReasons: ["the load side was the bottleneck"] });
  });

  describe("of a server that lost messages", () => {
    const outage = {
      name: "gapMs",
      label: "longest gap",
      value: 900,
      unit: "ms",
      better: "lower",
      despiteLoss: true,
    } as const;
    const cost = { name: "memory", label: "memory", value: 5, unit: "kB", better: "lower" } as const;
    const summaryOf = (isBenchSound: boolean) => {
      const voidReasons = ["9 messages were missed"];
      const result = runResult({ figures: [outage, cost], voidReasons, isBenchSound });
      return summarizeRuns([{ round: 0, target: "a", workers: 2, voidReasons, result }]).targets[0];
    };

    test("has what its clients went through, and neither speed nor cost", () => {
      const summary = summaryOf(true);

      expect(Object.keys(summary?.measures ?? {})).toEqual(["gapMs"]);
      expect(summary).toMatchObject({ voidRuns: 1, lossReasons: ["9 messages were missed"] });
    });

    test("has not even that when the load side was to blame as well", () => {
      const summary = summaryOf(false);

      expect(summary?.measures).toEqual({});
      expect(summary?.lossReasons).toEqual([]);
    });
  });

  test("has no figures at all where every run was void", () => {
    const summary = summarizeRuns([{ round: 0, target: "a", workers: 1, voidReasons: ["it did not start"] }]);

    expect(summary.targets[0]?.measures).toEqual({});
  });

  test("says which figures are noisy", () => {
    const runs = [10, 20].map((costUs, round) => ({
      round,
      target: "a",
      workers: 2,
      voidReasons: [],
      result: runResult({ costUs }),
    }));

    expect(summarizeRuns(runs).noisy).toEqual(["a cpuUsPerMessage ±33 %"]);
  });

  test("takes in the figures that only this scenario has", () => {
    const figures = [{ name: "gapMs", label: "longest gap", value: 12, unit: "ms", better: "lower" as const }];

    const summary = summarizeRuns([
      { round: 0, target: "a", workers: 1, voidReasons: [], result: runResult({ figures }) },
    ]);

    expect(summary.measures.at(-1)).toMatchObject({ name: "gapMs", label: "longest gap, ms" });
    expect(summary.targets[0]?.measures.gapMs?.median).toBe(12);
  });
});
