// How a process of the box is started so that it never outlives the one that started it.
//
// On Linux the kernel sees to it (PR_SET_PDEATHSIG): it kills the child at the parent's death, be the child in an endless
// loop or stopped. A process can ask for that only for itself, before Node runs: util-linux' `setpriv` asks, and becomes
// Node. Where there is none, or the kernel would take it back, the child watches its parent: see parent-watch.ts.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

export interface ChildStart {
  readonly execPath: string;
  /** Come before Node's own flags. */
  readonly execArgv: readonly string[];
  /** Come after the program. */
  readonly args: readonly string[];
}

/** Tells the child that the kernel ends it with its parent. */
export const ENDS_WITH_PARENT = "--ends-with-parent";

const SETPRIV = ["setpriv", "--pdeathsig", "KILL", "--"] as const;
/** The entry of the auxiliary vector that says whether the program was given privileges when it was started. */
const AT_SECURE = 23n;

let found: ChildStart | undefined;

/** Looks once; takes a few milliseconds then. */
export function childStart(): ChildStart {
  const plain = { execPath: process.execPath, execArgv: [], args: [] };
  const [execPath, ...flags] = SETPRIV;
  found ??= canUseSetpriv() ? { execPath, execArgv: [...flags, process.execPath], args: [ENDS_WITH_PARENT] } : plain;
  return found;
}

function canUseSetpriv(): boolean {
  if (process.platform !== "linux" || isPrivileged()) return false;
  const [setpriv, ...flags] = SETPRIV;
  return spawnSync(setpriv, [...flags, "true"], { stdio: "ignore" }).status === 0;
}

/** A Node that was given capabilities of its own (`setcap`) loses the kernel's promise when it starts. */
function isPrivileged(): boolean {
  try {
    const vector = readFileSync("/proc/self/auxv");
    const words = new BigUint64Array(new Uint8Array(vector).buffer, 0, Math.floor(vector.length / 8));
    const at = words.findIndex((word, i) => i % 2 === 0 && word === AT_SECURE);
    return at === -1 || words[at + 1] !== 0n;
  } catch {
    return true;
  }
}
