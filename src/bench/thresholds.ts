// Whether a result is good enough. Judged is the server under test (the first one), never what it is compared with.

import type { Run } from "./compare.ts";
import type { BenchResult, ScenarioOutcome } from "./result.ts";

export interface Thresholds {
  /** Highest 99th percentile of the latency, in milliseconds, as the median of the rounds. */
  readonly maxP99Ms?: number;
  /** Lowest rate of delivered messages a second, as the median of the rounds. */
  readonly minRate?: number;
  /** Nothing may be lost, repeated, out of order, astray or changed, in any round. */
  readonly noLoss?: boolean;
}

/**
 * - `passed`: all runs of the server under test count and no threshold was missed.
 * - `missed`: a threshold was missed, or could not be judged because a run was void.
 * - `void`: a run was void, and nobody asked for a threshold.
 */
export interface Verdict {
  readonly outcome: "passed" | "missed" | "void";
  /** One sentence each. */
  readonly reasons: readonly string[];
}

export function judge(result: BenchResult, thresholds: Thresholds): Verdict {
  const voids = judgedRuns(result).flatMap((run) =>
    run.voidReasons.map((reason) => `A run of ${run.target} is void: ${reason}`),
  );
  if (Object.keys(thresholds).length === 0) return { outcome: voids.length > 0 ? "void" : "passed", reasons: voids };
  const missed = [
    ...result.scenarios.flatMap((scenario) => missedBy(scenario, thresholds)),
    ...(thresholds.noLoss === true ? judgedRuns(result).flatMap(lossesOf) : []),
  ];
  const reasons = [...missed, ...voids];
  return { outcome: reasons.length > 0 ? "missed" : "passed", reasons };
}

function judgedRuns({ scenarios, scaling }: BenchResult): Run[] {
  return [...scenarios.map(({ runs }) => runs), scaling?.runs ?? []].flatMap((runs) => {
    return runs.filter((run) => run.target === runs[0]?.target);
  });
}

function missedBy({ scenario, summary }: ScenarioOutcome, { maxP99Ms, minRate }: Thresholds): string[] {
  const measures = summary.targets[0]?.measures ?? {};
  const missed: string[] = [];
  if (maxP99Ms !== undefined && !((measures.p99?.median ?? Number.NaN) <= maxP99Ms)) {
    missed.push(`${scenario}: p99 is ${shown(measures.p99?.median)} ms, wanted at most ${maxP99Ms} ms.`);
  }
  if (minRate !== undefined && !((measures.deliveredRate?.median ?? Number.NaN) >= minRate)) {
    missed.push(`${scenario}: ${shown(measures.deliveredRate?.median)} delivered/s, wanted at least ${minRate}.`);
  }
  return missed;
}

function lossesOf({ target, result }: Run): string[] {
  if (result === undefined || result.ledger.ok) return [];
  const { lost, missed, duplicates, senderOrder, roomOrder, stray, corrupt } = result.ledger;
  const counts = { lost, missed, duplicates, senderOrder, roomOrder, stray, corrupt };
  const wrong = Object.entries(counts).filter(([, count]) => count > 0);
  return [`${result.scenario}: ${target}: ${wrong.map(([name, count]) => `${count} ${name}`).join(", ")}.`];
}

function shown(value: number | undefined): string {
  return value === undefined ? "unknown" : value.toFixed(1);
}
