// Carries out what was asked for, step by step, and puts the result together.

import { availableParallelism } from "node:os";
import { type Contender, compare, type Run } from "./compare.ts";
import type { Params, Progress, RunResult, RunScenario, ScenarioPlan } from "./contract.ts";
import type { BenchResult, ScalingOutcome, ScenarioOutcome, ServerAbout } from "./result.ts";
import { FLOOR, modelScaling, SCALING_LAW, type ScalingPoint } from "./scaling.ts";
import { summarizeRuns } from "./summary.ts";
import type { TargetKind } from "./targets.ts";
import { describeMachine, describeVersions } from "./versions.ts";
import { DEFAULT_LOAD_LIMITS } from "./void-reasons.ts";

/** One scenario on one server, or on several side by side; the first one is under test. */
export interface ScenarioStep {
  readonly plan: ScenarioPlan;
  readonly contenders: readonly Contender[];
  readonly rounds: number;
}

/** One scenario with several numbers of workers; `floor` is what the cost is held against. */
export interface ScalingStep {
  readonly plan: ScenarioPlan;
  readonly kinds: readonly TargetKind[];
  readonly workerCounts: readonly number[];
  readonly rounds: number;
}

export interface BenchRequest {
  readonly name: string;
  readonly command: string;
  readonly steps: readonly ScenarioStep[];
  readonly scaling?: ScalingStep;
}

export interface BenchWatch {
  /** A step begins. */
  readonly onStep: (scenario: string, runs: number) => void;
  readonly onProgress: (about: string, progress: Progress) => void;
  readonly onRun: (about: string, run: Run) => void;
  readonly signal: AbortSignal;
}

export async function runBench(
  request: BenchRequest,
  runScenario: RunScenario,
  watch: BenchWatch,
): Promise<BenchResult> {
  const startedAt = new Date().toISOString();
  const scenarios: ScenarioOutcome[] = [];
  for (const step of request.steps) {
    const runs = await runStep(step.plan, step.contenders, step.rounds, runScenario, watch);
    scenarios.push({ ...outcomeOf(step.plan, step.rounds, runs), summary: summarizeRuns(runs) });
  }
  const scaling = request.scaling === undefined ? undefined : await runScaling(request.scaling, runScenario, watch);
  return {
    format: 1,
    name: request.name,
    command: request.command,
    startedAt,
    finishedAt: new Date().toISOString(),
    machine: describeMachine(),
    servers: await describeServers(request),
    scenarios,
    ...(scaling !== undefined && { scaling }),
  };
}

function runStep(
  plan: ScenarioPlan,
  contenders: readonly Contender[],
  rounds: number,
  runScenario: RunScenario,
  watch: BenchWatch,
): Promise<Run[]> {
  const all = contenders.length * rounds;
  const about = (target: string, workers: number, run: number): string => {
    return `${plan.scenario} · ${target}${workers > 1 ? `, ${workers} workers` : ""} · run ${run} of ${all}`;
  };
  let done = 0;
  watch.onStep(plan.scenario, all);
  return compare(contenders, rounds, plan, runScenario, {
    signal: watch.signal,
    onProgress: ({ kind, workers }, progress) => watch.onProgress(about(kind.name, workers, done + 1), progress),
    onRun: (run) => {
      done++;
      watch.onRun(about(run.target, run.workers, done), run);
    },
  });
}

async function runScaling(step: ScalingStep, runScenario: RunScenario, watch: BenchWatch): Promise<ScalingOutcome> {
  const contenders = step.workerCounts.flatMap((workers) => step.kinds.map((kind) => ({ kind, workers })));
  const runs = await runStep(step.plan, contenders, step.rounds, runScenario, watch);
  const points = runs.flatMap(scalingPoint);
  const models = step.kinds.flatMap(({ name }) => {
    const model = name === FLOOR ? undefined : modelScaling(points, name);
    return model === undefined ? [] : [{ target: name, model }];
  });
  const { maxLagMs } = { ...DEFAULT_LOAD_LIMITS, ...step.plan.loadLimits };
  return { ...outcomeOf(step.plan, step.rounds, runs), maxLagMs, law: SCALING_LAW, points, models };
}

function scalingPoint({ target, workers, round, result, voidReasons }: Run): ScalingPoint[] {
  const costs = result?.cost?.cpuUsPerMessage;
  if (result === undefined || costs === undefined || costs.total === 0 || voidReasons.length > 0) return [];
  const machineBusy = machineBusyOf(result);
  return [{ target, workers, round, costUs: costs.total, primaryUs: costs.primary ?? 0, machineBusy }];
}

function machineBusyOf({ cost, load, measuredMs }: RunResult): number {
  const serverMs = (cost?.cpuUs.total ?? 0) / 1000;
  return (serverMs + load.cpuMs) / (measuredMs * availableParallelism());
}

function outcomeOf(plan: ScenarioPlan, rounds: number, runs: readonly Run[]) {
  const params: Params = runs.find((run) => run.result !== undefined)?.result?.params ?? plan.params ?? {};
  return { scenario: plan.scenario, params, rounds, runs };
}

async function describeServers({ steps, scaling }: BenchRequest): Promise<ServerAbout[]> {
  const contenders = steps.flatMap((step) => step.contenders);
  const scaled = scaling?.kinds.map((kind) => ({ kind, workers: Math.max(...scaling.workerCounts) })) ?? [];
  const byName = new Map([...scaled, ...contenders].map((contender) => [contender.kind.name, contender]));
  return Promise.all(
    [...byName.values()].map(async ({ kind, workers }) => ({
      name: kind.name,
      summary: kind.summary,
      workers,
      versions: await describeVersions(kind.packages),
      settings: kind.settings,
    })),
  );
}
