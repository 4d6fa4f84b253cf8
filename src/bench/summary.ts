// What the runs of a comparison come to: medians with their spread, and ratios taken within a round, so that what the
// machine did meanwhile cancels out. Void runs count as void and give no figure; but a server that lost messages still
// left its clients without service for as long as it did.

import type { Run } from "./compare.ts";
import { type Measure, measuresOf } from "./measures.ts";
import { type Summary, summarize } from "./statistics.ts";

/** What a comparison says of one server. */
export interface TargetSummary {
  readonly target: string;
  readonly workers: number;
  readonly runs: number;
  readonly voidRuns: number;
  readonly voidReasons: readonly string[];
  /** Of the void runs that are so for what the server did alone: measures that count `despiteLoss` include them. */
  readonly lossReasons: readonly string[];
  /** By name of the measure, over the runs in which it counts. Empty when there is none. */
  readonly measures: Readonly<Record<string, Summary>>;
  /** This server's figure divided by the reference's in the same round. */
  readonly ratios: Readonly<Record<string, Summary>>;
}

export interface ComparisonSummary {
  readonly reference: string;
  readonly measures: readonly Omit<Measure, "read">[];
  readonly targets: readonly TargetSummary[];
  /** Measures whose values differ so much from round to round that a small difference between servers means nothing. */
  readonly noisy: readonly string[];
}

/** Half the range over the median: above this the result says that it is noisy. */
export const NOISY_SPREAD = 0.15;
/** The tail is expected to jump about; the others are what conclusions are drawn from. */
const JUDGED_FOR_NOISE = new Set(["deliveredRate", "cpuUsPerMessage", "p50"]);

/** The first contender of the runs is the reference. */
export function summarizeRuns(runs: readonly Run[]): ComparisonSummary {
  const measures = measuresOf(runs.flatMap(({ result }) => result ?? []));
  const names = [...new Set(runs.map((run) => run.target))];
  const reference = names[0] ?? "";
  const targets = names.map((name) => summarizeTarget(name, reference, runs, measures));
  const noisy = targets.flatMap(({ target, measures: summaries }) =>
    Object.entries(summaries)
      .filter(([name, summary]) => JUDGED_FOR_NOISE.has(name) && summary.spread > NOISY_SPREAD)
      .map(([name, summary]) => `${target} ${name} ±${Math.round(summary.spread * 100)} %`),
  );
  return { reference, measures: measures.map(({ read: _read, ...measure }) => measure), targets, noisy };
}

function summarizeTarget(
  name: string,
  reference: string,
  runs: readonly Run[],
  measures: readonly Measure[],
): TargetSummary {
  const own = runs.filter((run) => run.target === name);
  const summaries = measures.map((measure) => [measure.name, own.flatMap((run) => readValue(run, measure))] as const);
  const ratios = measures.map((measure) => {
    return [measure.name, own.flatMap((run) => ratioOf(run, reference, runs, measure))] as const;
  });
  return {
    target: name,
    workers: own[0]?.workers ?? 0,
    runs: own.length,
    voidRuns: own.filter((run) => run.voidReasons.length > 0).length,
    voidReasons: reasonsOf(own),
    lossReasons: reasonsOf(own.filter(isServersDoing)),
    measures: summarizeAll(summaries),
    ratios: name === reference ? {} : summarizeAll(ratios),
  };
}

function reasonsOf(runs: readonly Run[]): string[] {
  return [...new Set(runs.flatMap((run) => run.voidReasons))];
}

function summarizeAll(entries: readonly (readonly [string, readonly number[]])[]): Record<string, Summary> {
  const known = entries.filter(([, values]) => values.length > 0);
  return Object.fromEntries(known.map(([name, values]) => [name, summarize(values)]));
}

function readValue(run: Run, measure: Measure): number[] {
  const value = run.result === undefined || !counts(run, measure) ? undefined : measure.read(run.result);
  return value === undefined ? [] : [value];
}

function counts(run: Run, { despiteLoss }: Measure): boolean {
  return run.voidReasons.length === 0 || (despiteLoss === true && isServersDoing(run));
}

function isServersDoing({ result }: Run): boolean {
  return result?.isBenchSound === true;
}

function ratioOf(run: Run, reference: string, runs: readonly Run[], measure: Measure): number[] {
  const other = runs.find(({ target, round }) => target === reference && round === run.round);
  const [value] = readValue(run, measure);
  const [base] = other === undefined ? [] : readValue(other, measure);
  return value === undefined || base === undefined || base === 0 ? [] : [value / base];
}
