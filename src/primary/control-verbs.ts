// What the control socket of a box can do.

import type { ReloadReport } from "./box-reload.ts";
import type { ControlHandler } from "./control.ts";
import type { ReloadProgress } from "./reload.ts";
import type { BoxStatus } from "./status.ts";

/** What `stop` tells while the box drains. */
export interface StopProgress {
  readonly connections: number;
  readonly tasks: number;
}

export interface ControlVerbsOptions {
  readonly status: () => BoxStatus;
  /** Drains and closes the box; resolves when that is done. */
  readonly stop: () => Promise<void>;
  /** Replaces the processes of the box; rejects when it was refused or rolled back. */
  readonly reload: (onProgress: (progress: ReloadProgress) => void) => Promise<ReloadReport>;
}

const PROGRESS_EVERY_MS = 250;

export function createControlVerbs({ status, stop, reload }: ControlVerbsOptions): Record<string, ControlHandler> {
  return {
    status: async () => status(),
    reload: (progress) => reload(progress),
    stop: async (progress) => {
      const report = (): void => progress(stopProgress(status()));
      report();
      const timer = setInterval(report, PROGRESS_EVERY_MS);
      try {
        await stop();
      } finally {
        clearInterval(timer);
      }
    },
  };
}

function stopProgress({ workers, cpu }: BoxStatus): StopProgress {
  const connections = workers.reduce((sum, worker) => sum + worker.connections, 0);
  return { connections, tasks: cpu.queued + cpu.running };
}
