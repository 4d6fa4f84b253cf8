// What /readyz says: whether new clients should be sent to this box, and why not.

import type { BoxStatus } from "../primary/status.ts";

export interface Readiness {
  readonly ready: boolean;
  /** Why not, in a sentence; absent when ready. */
  readonly reason?: string;
  readonly state: BoxStatus["state"];
  readonly workers: { readonly ready: number; readonly total: number };
  readonly cpu: { readonly state: BoxStatus["cpu"]["state"] };
  readonly redis: BoxStatus["redis"];
}

/** Redis and the cpu process are told about but do not count: without them the box still serves its own clients. */
export function readinessOf({ state, workers, cpu, redis }: BoxStatus): Readiness {
  const ready = workers.filter((worker) => worker.state === "ready").length;
  const reason = reasonOf(state, ready);
  return {
    ready: reason === undefined,
    ...(reason !== undefined && { reason }),
    state,
    workers: { ready, total: workers.length },
    cpu: { state: cpu.state },
    redis,
  };
}

function reasonOf(state: BoxStatus["state"], readyWorkers: number): string | undefined {
  if (state === "starting") return "The box is starting.";
  if (state === "draining") return "The box is draining.";
  return readyWorkers === 0 ? "No worker is ready." : undefined;
}
