// A reload of the whole box, one at a time: its socket workers, what the primary itself knows of the app, its cpu process.
// How workers are replaced without loss is reload.ts.

import { AllcoresError } from "../errors.ts";
import type { Affinity } from "./affinity.ts";
import type { CpuSupervisor } from "./cpu-supervisor.ts";
import type { ReloadProgress } from "./reload.ts";
import type { Supervisor } from "./supervisor.ts";
import type { WorkerProcess } from "./worker-process.ts";

export interface BoxReloadOptions {
  readonly supervisor: Supervisor;
  readonly affinity: Affinity;
  readonly cpu: CpuSupervisor;
  /** Socket workers of the box. */
  readonly workers: number;
}

/** What a reload did. */
export interface ReloadReport {
  /** Socket workers that were replaced. */
  readonly workers: number;
  /** Whether the cpu process was; `false` when there is none. */
  readonly cpu: boolean;
  readonly durationMs: number;
}

export class BoxReload {
  readonly #options: BoxReloadOptions;
  #isRunning = false;

  constructor(options: BoxReloadOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Rejects as `Primary.reload` does. */
  async run(onProgress: (progress: ReloadProgress) => void): Promise<ReloadReport> {
    if (this.#isRunning) throw reloadRefused("One is running already: wait until it has ended.");
    const { supervisor, cpu, workers: total } = this.#options;
    const startedAt = performance.now();
    this.#isRunning = true;
    try {
      await supervisor.reload({ onProgress, onPassed: (workers) => this.#renewAffinity(workers) });
      if (cpu.state === "running") onProgress({ step: "cpu", slots: [], done: total, total, share: 1 });
      const isCpuReplaced = await cpu.replace();
      return { workers: total, cpu: isCpuReplaced, durationMs: Math.round(performance.now() - startedAt) };
    } finally {
      this.#isRunning = false;
    }
  }

  async #renewAffinity(workers: readonly WorkerProcess[]): Promise<void> {
    if (workers.some(({ hasAffinity }) => hasAffinity)) await this.#options.affinity.renew();
    else this.#options.affinity.forget();
  }
}

export function reloadRefused(why: string): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_RELOAD_REFUSED", `The reload was refused. ${why}`);
}
