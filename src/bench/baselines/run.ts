// The process of a baseline, and each worker that it forks with Node's cluster module: `node run.js NAME WORKERS`.
// It ends on SIGTERM, and when the process that started it is gone.

import cluster from "node:cluster";
import { toError } from "../../errors.ts";
import type { Baseline } from "./baseline.ts";
import { findBaseline } from "./register.ts";
import type { BaselineMessage } from "./spawn.ts";

const [name = "", workers = "1"] = process.argv.slice(2);
const baseline = findBaseline(name);

if (cluster.isWorker) await baseline.runWorker?.();
else await runBaseline(baseline, Number(workers));

async function runBaseline(chosen: Baseline, count: number): Promise<void> {
  try {
    const running = await chosen.start(count, (pids) => tell({ type: "pids", pids }));
    const end = (): void => void running.close().finally(() => process.exit());
    process.once("SIGTERM", end);
    process.once("disconnect", end);
    tell({ type: "ready", urls: running.urls, pids: running.pids });
  } catch (error) {
    tell({ type: "failed", message: toError(error).message });
    process.exitCode = 1;
    process.disconnect?.();
  }
}

function tell(message: BaselineMessage): void {
  if (process.connected) process.send?.(message);
}
