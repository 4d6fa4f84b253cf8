// What Linux tells about a process, in /proc. A process that is gone reads as `undefined`; a file that this user may not
// read, or this kernel does not have, as 0.

import { readFileSync } from "node:fs";

export interface ProcSample {
  /** User and system time of all its threads, in microseconds. */
  readonly cpuUs: number;
  /** The same of children that ended and were waited for. */
  readonly reapedUs: number;
  readonly rssBytes: number;
  /** read and write system calls. */
  readonly syscalls: number;
  /** Time its main thread was ready and waited for a core, in milliseconds. */
  readonly runQueueMs: number;
}

/** A clock tick of /proc/PID/stat: USER_HZ is 100 on every Linux that Node runs on. */
const TICK_US = 10_000;
const PAGE_BYTES = 4096;

export function sampleProcess(pid: number): ProcSample | undefined {
  const stat = readProc(pid, "stat");
  if (stat === undefined) return undefined;
  // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const state = fields[0];
  if (state === "Z" || state === "X") return undefined;
  const field = (number: number): number => Number(fields[number - 3]);
  return {
    cpuUs: (field(14) + field(15)) * TICK_US,
    reapedUs: (field(16) + field(17)) * TICK_US,
    rssBytes: field(24) * PAGE_BYTES,
    syscalls: countSyscalls(pid),
    runQueueMs: Number(readProc(pid, "schedstat")?.split(" ")[1] ?? 0) / 1e6,
  };
}

/** Memory of a process with shared pages split among those that share them; `undefined` where that is not known. */
export function readPssBytes(pid: number): number | undefined {
  const kilobytes = /^Pss:\s+(\d+) kB/m.exec(readProc(pid, "smaps_rollup") ?? "")?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

function countSyscalls(pid: number): number {
  const io = readProc(pid, "io") ?? "";
  return Number(/^syscr: (\d+)/m.exec(io)?.[1] ?? 0) + Number(/^syscw: (\d+)/m.exec(io)?.[1] ?? 0);
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return undefined;
  }
}
