// The process of a baseline, and each worker that it forks with Node's cluster module: `node run.js NAME WORKERS [PORT]`.
// It ends on SIGTERM, and when the process that started it is gone.

import cluster from "node:cluster";
import { toError } from "../../errors.ts";
import type { Baseline } from "./baseline.ts";
import type { BaselineMessage } from "./baseline-process.ts";
import { findBaseline } from "./register.ts";

const [name = "", workers = "1", port = "0"] = process.argv.slice(2);
const baseline = findBaseline(name);

if (cluster.isWorker) await baseline.runWorker?.();
else await runBaseline(baseline);

async function runBaseline(chosen: Baseline): Promise<void> {
  try {
    const running = await chosen.start({
      workers: Number(workers),
      port: Number(port),
      onPids: (pids) => tell({ type: "pids", pids }),
    });
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
