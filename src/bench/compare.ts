// Runs one scenario on several servers, side by side: round after round, each round all servers in turn, so that what the
// machine does meanwhile hits all of them. Every run starts its server anew.

import { AllcoresError, toError } from "../errors.ts";
import type { Progress, RunResult, RunScenario, ScenarioPlan } from "./contract.ts";
import type { StartedTarget, TargetKind } from "./targets.ts";

/** A server in the comparison. */
export interface Contender {
  readonly kind: TargetKind;
  readonly workers: number;
}

export interface Run {
  /** Counted from 0. */
  readonly round: number;
  readonly target: string;
  readonly workers: number;
  /** Missing when the server did not start or the run broke off. */
  readonly result?: RunResult;
  /** Why this run gives no figures. Empty: it counts. */
  readonly voidReasons: readonly string[];
  /** Of a void run: the end of what the server wrote to stderr, where it wrote anything. */
  readonly complaints?: string;
}

export interface CompareWatch {
  readonly onRun?: (run: Run) => void;
  readonly onProgress?: (contender: Contender, progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** Makes all runs of a comparison. Rejects only when it is told to stop, or was asked for what cannot be done. */
export async function compare(
  contenders: readonly Contender[],
  rounds: number,
  plan: ScenarioPlan,
  runScenario: RunScenario,
  watch: CompareWatch = {},
): Promise<Run[]> {
  const runs: Run[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      watch.signal?.throwIfAborted();
      const run = await runOnce(contender, round, plan, runScenario, watch);
      runs.push(run);
      watch.onRun?.(run);
    }
  }
  return runs;
}

async function runOnce(
  contender: Contender,
  round: number,
  plan: ScenarioPlan,
  runScenario: RunScenario,
  watch: CompareWatch,
): Promise<Run> {
  const { kind, workers } = contender;
  const about = { round, target: kind.name, workers };
  try {
    const target = await kind.start(workers);
    try {
      const onProgress = (progress: Progress): void => watch.onProgress?.(contender, progress);
      const options = { onProgress, ...(watch.signal !== undefined && { signal: watch.signal }) };
      const result = await runScenario(plan, target, options);
      return { ...about, result, voidReasons: result.voidReasons, ...complaintsOf(target, result.voidReasons) };
    } finally {
      await target.control.stop();
    }
  } catch (error) {
    watch.signal?.throwIfAborted();
    if (isUsageError(error)) throw error;
    return { ...about, voidReasons: [toError(error).message] };
  }
}

function complaintsOf(target: StartedTarget, voidReasons: readonly string[]): Pick<Run, "complaints"> {
  const complaints = voidReasons.length === 0 ? "" : (target.complaints?.() ?? "");
  return complaints === "" ? {} : { complaints };
}

function isUsageError(error: unknown): boolean {
  return error instanceof AllcoresError && error.code === "ALLCORES_ERR_USAGE";
}
