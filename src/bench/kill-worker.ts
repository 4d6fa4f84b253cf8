// Chaos: one socket worker dies as if the kernel had killed it.

import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { AllcoresError } from "../errors.ts";
import type { PidsByRole } from "./contract.ts";

const POLL_MS = 10;
const DEADLINE_MS = 5_000;

/** Sends SIGKILL to the last of the socket workers and resolves to its pid once it is dead. */
export async function killWorker(pids: () => PidsByRole | Promise<PidsByRole>): Promise<number> {
  const pid = (await pids()).socketWorker?.at(-1);
  if (pid === undefined) throw new AllcoresError("ALLCORES_ERR_BENCH", "There is no socket worker to kill.");
  process.kill(pid, "SIGKILL");
  const deadline = Date.now() + DEADLINE_MS;
  while (isAlive(pid) && Date.now() < deadline) await delay(POLL_MS);
  return pid;
}

/** A process in state Z is dead, even if nobody has fetched its exit code. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
  } catch {
    return false;
  }
}
