// The set behind the README's figures: `allcores bench readme`. Everything in it fits into 15 minutes on two cores.

import type { Contender } from "./compare.ts";
import type { LoadLimits, Params, ScenarioPlan } from "./contract.ts";
import type { ScalingStep, ScenarioStep } from "./run-bench.ts";
import { SCALING_RATE } from "./scaling.ts";
import { findTarget } from "./targets.ts";

/** As in the tables of other projects: more workers than the cores of a small machine, to see what their talk costs. */
const WORKERS = 4;

interface ReadmeStep {
  readonly scenario: string;
  readonly params: Params;
  /** The server under test first. */
  readonly servers: readonly string[];
  readonly rounds: number;
}

const STEPS: readonly ReadmeStep[] = [
  { scenario: "connect", params: {}, servers: ["allcores", "official", "official-patched"], rounds: 2 },
  {
    scenario: "rooms",
    params: { seconds: 6, warmupSeconds: 2 },
    servers: ["allcores", "single", "floor", "official-patched", "redis", "sharded", "ws"],
    rounds: 2,
  },
  {
    scenario: "direct",
    params: { seconds: 6, warmupSeconds: 2, rate: 2_000 },
    servers: ["allcores", "official-patched", "redis"],
    rounds: 2,
  },
  { scenario: "idle", params: {}, servers: ["allcores", "single"], rounds: 1 },
  { scenario: "jitter", params: {}, servers: ["allcores", "single-recovery"], rounds: 1 },
  { scenario: "reload", params: {}, servers: ["allcores", "official-patched"], rounds: 1 },
];

const SCALING = {
  plan: { scenario: "rooms", params: { seconds: 6, warmupSeconds: 2, rate: SCALING_RATE } },
  servers: ["allcores", "floor"],
  workerCounts: [1, 2, 4, 8, 16],
  rounds: 2,
} as const;

/** `load` says how the load side is set up, for every step alike but for the limits of `scaling`. */
export function readmeSteps(
  load: Partial<ScenarioPlan>,
  scalingLimits: LoadLimits,
): { steps: ScenarioStep[]; scaling: ScalingStep } {
  const { plan, servers, workerCounts, rounds } = SCALING;
  return {
    steps: STEPS.map((step) => ({
      plan: { ...load, scenario: step.scenario, params: step.params },
      contenders: step.servers.map(contender),
      rounds: step.rounds,
    })),
    scaling: {
      plan: { ...load, ...plan, loadLimits: scalingLimits },
      kinds: servers.map(findTarget),
      workerCounts,
      rounds,
    },
  };
}

function contender(name: string): Contender {
  const kind = findTarget(name);
  return { kind, workers: kind.usesWorkers ? WORKERS : 1 };
}
