// The thread of parent-watch.ts. An orphan is adopted by another process: its parent's id changes.

import { workerData } from "node:worker_threads";
import type { ParentWatchData } from "./parent-watch.ts";

const { parentPid, everyMs } = workerData as ParentWatchData;

setInterval(() => {
  // Not process.exit(): that asks the main thread, which may never answer.
  if (process.ppid !== parentPid) process.kill(process.pid, "SIGKILL");
}, everyMs);
