// The servers that can be measured: allcores and its baselines, each started as child processes and stopped for certain.

import { AllcoresError } from "../errors.ts";
import { ALLCORES_SETTINGS, type AllcoresVariant, startAllcores } from "./allcores-target.ts";
import type { Baseline, ServerTraits } from "./baselines/baseline.ts";
import { BASELINES } from "./baselines/register.ts";
import { spawnBaseline } from "./baselines/spawn.ts";
import type { Target, TargetControl } from "./contract.ts";
import { killWorker } from "./kill-worker.ts";

/** A server that runs. Whoever started it calls `control.stop`. */
export interface StartedTarget extends Target {
  readonly control: TargetControl & { readonly stop: () => Promise<void> };
  /** The end of what its processes wrote to stderr, for runs that go wrong. */
  readonly complaints?: () => string;
}

export interface TargetKind extends ServerTraits {
  /** What scenarios may ask of it. */
  readonly can: { readonly reload: boolean; readonly killWorker: boolean };
  readonly start: (workers: number) => Promise<StartedTarget>;
}

const VARIANTS: readonly (AllcoresVariant & { readonly summary: string })[] = [
  { name: "allcores", bus: "box", recovers: true, summary: "this project, with session recovery" },
  { name: "allcores-plain", bus: "box", recovers: false, summary: "this project without session recovery" },
  {
    name: "allcores-ipc",
    bus: "ipc",
    recovers: false,
    summary: "this project with the official cluster adapter as its bus, which cannot recover sessions",
  },
];

const ALLCORES: readonly TargetKind[] = VARIANTS.map((variant) => ({
  name: variant.name,
  summary: variant.summary,
  packages: ["socket.io", "ws"],
  settings: [
    `bus: "${variant.bus}"`,
    ...(variant.recovers ? ["connectionStateRecovery: {}"] : []),
    ...ALLCORES_SETTINGS,
  ],
  usesWorkers: true,
  ordersRooms: variant.bus === "box",
  can: { reload: true, killWorker: true },
  start: (workers: number) => startAllcores(workers, variant),
}));

/** No baseline has a rolling reload: this is what their documentation leaves people with. */
const RESTARTS = "deploy: stop, start again on the same port";

export const TARGETS: readonly TargetKind[] = [...ALLCORES, ...BASELINES.map(targetOf)];

export function findTarget(name: string): TargetKind {
  const target = TARGETS.find((one) => one.name === name);
  if (target !== undefined) return target;
  const names = TARGETS.map((one) => one.name).join(", ");
  throw new AllcoresError("ALLCORES_ERR_USAGE", `There is no server "${name}" to compare with. Known: ${names}.`);
}

function targetOf(baseline: Baseline): TargetKind {
  const { replacesWorkers, takesPort, start: _start, runWorker: _runWorker, ...traits } = baseline;
  const { name, ordersRooms } = traits;
  return {
    ...traits,
    settings: takesPort ? [...traits.settings, RESTARTS] : traits.settings,
    can: { reload: takesPort, killWorker: replacesWorkers },
    start: async (workers) => {
      const { urls, pids, complaints, stop, restart } = await spawnBaseline(name, workers);
      const control = {
        stop,
        ...(takesPort && { reload: restart }),
        ...(replacesWorkers && { killWorker: () => killWorker(pids) }),
      };
      return { name, urls, ordersRooms, pids, complaints, control };
    },
  };
}
