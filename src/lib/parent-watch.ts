// Ends this process with its parent, even when the event loop never turns again: a thread of its own looks.
// Only where the kernel does not see to it (child-start.ts): the thread costs 9 MB, and stands still in a stopped process.

import { Worker } from "node:worker_threads";
import { ENDS_WITH_PARENT } from "./child-start.ts";

/** What the thread is given. */
export interface ParentWatchData {
  readonly parentPid: number;
  readonly everyMs: number;
}

const EVERY_MS = 250;

/**
 * Starts the thread if it is needed; it neither keeps the process alive nor loads anything of the app. Call it first of
 * all. A process that is stopped (SIGSTOP) is ended as soon as it continues.
 */
export function endWithParent(): void {
  if (process.argv.includes(ENDS_WITH_PARENT)) return;
  const workerData: ParentWatchData = { parentPid: process.ppid, everyMs: EVERY_MS };
  const thread = new Worker(new URL("./parent-watch-thread.js", import.meta.url), {
    workerData,
    // Flags and environment may load things, such as a TypeScript loader.
    execArgv: [],
    env: {},
    resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 },
  });
  thread.unref();
}
