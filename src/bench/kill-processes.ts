// The last resort: what the bench started never outlives it, even when it is ended in the middle of a run.

import type { PidsByRole } from "./contract.ts";

/** SIGKILL to all of them, wherever they still are. */
export function killProcesses(pids: PidsByRole): void {
  for (const pid of Object.values(pids).flat()) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Already gone.
    }
  }
}

/** Kills them when this process exits. Call what it returns once they were stopped in good order. */
export function killAtExit(pids: () => PidsByRole): () => void {
  const kill = (): void => killProcesses(pids());
  process.on("exit", kill);
  return () => process.off("exit", kill);
}
