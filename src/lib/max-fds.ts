// How many file descriptors this process may have. `undefined` where the system does not tell (no /proc).

import { readFileSync } from "node:fs";

export function readMaxFds(): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
