// Where a box keeps its unix sockets, and where the other verbs look for them.
// $RUNTIME_DIRECTORY (systemd), else $XDG_RUNTIME_DIR/allcores, else allcores-UID in the temporary folder.

import { type Stats, statSync } from "node:fs";
import { chmod, lstat, mkdir, readdir, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { AllcoresError } from "../errors.ts";
import { probeSocket } from "../lib/unix-socket.ts";

/** `sun_path` of a unix socket has 108 bytes, the last of which is a zero. */
const MAX_SOCKET_PATH_BYTES = 107;
/** Room for the longest name the box gives a socket in the folder. */
const MAX_SOCKET_NAME_BYTES = 24;
/** The names that `processSocketPath` gives. */
const PROCESS_SOCKET = /^(?:bus|relay|cpu)-(?<pid>\d+)(?:-\d+)?\.sock$/;

/** The path of the control socket of the box whose admin listener has `adminPort`. */
export function controlSocketPath(runtimeDir: string, adminPort: number): string {
  return join(runtimeDir, `control-${adminPort}.sock`);
}

/** The path of a socket between this primary and its processes; `incarnation` tells those apart that follow each other. */
export function processSocketPath(runtimeDir: string, kind: "bus" | "relay" | "cpu", incarnation?: number): string {
  const suffix = incarnation === undefined ? "" : `-${incarnation}`;
  return join(runtimeDir, `${kind}-${process.pid}${suffix}.sock`);
}

/** The folders a box may have chosen, the most likely one first. A box started with another environment is not seen. */
export function runtimeDirCandidates(env: NodeJS.ProcessEnv): string[] {
  const [fromSystemd] = (env.RUNTIME_DIRECTORY ?? "").split(delimiter);
  if (fromSystemd !== undefined && fromSystemd !== "") return [fromSystemd];

  const fallback = join(tmpdir(), `allcores-${userInfo().uid}`);
  return env.XDG_RUNTIME_DIR ? [join(env.XDG_RUNTIME_DIR, "allcores"), fallback] : [fallback];
}

/** Chooses the folder for a new box and makes sure that it is there and nobody else's. */
export async function openRuntimeDir(env: NodeJS.ProcessEnv): Promise<string> {
  const path = chooseRuntimeDir(env);
  checkLength(path);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unusable(path, "cannot be created", error);
  }

  const stats = await lstat(path);
  if (!stats.isDirectory()) throw unusable(path, "is no folder");
  if (!isOwn(stats)) throw unusable(path, "belongs to another user");
  if (!isFromSystemd(env) && (stats.mode & 0o077) !== 0) await chmod(path, 0o700);
  return path;
}

/** Removes what primaries that were killed have left of the sockets for their processes. Those of boxes that live stay. */
export async function removeDeadSockets(runtimeDir: string): Promise<void> {
  for (const name of await readdir(runtimeDir)) {
    const pid = Number(PROCESS_SOCKET.exec(name)?.groups?.pid);
    if (!(pid > 0) || isRunning(pid)) continue;
    const path = join(runtimeDir, name);
    // In a container that shares the folder, a process that runs has a number that means nothing here.
    const error = await probeSocket(path);
    if (error?.code === "ECONNREFUSED") await rm(path, { force: true });
  }
}

function chooseRuntimeDir(env: NodeJS.ProcessEnv): string {
  const [first = "", fallback] = runtimeDirCandidates(env);
  if (fallback === undefined) return first;
  // `sudo` and `su` leave XDG_RUNTIME_DIR pointing at somebody else's folder, or at one that is gone.
  const session = statSync(env.XDG_RUNTIME_DIR ?? "", { throwIfNoEntry: false });
  return session !== undefined && isOwn(session) ? first : fallback;
}

function isFromSystemd(env: NodeJS.ProcessEnv): boolean {
  return env.RUNTIME_DIRECTORY !== undefined && env.RUNTIME_DIRECTORY !== "";
}

function isOwn(stats: Stats): boolean {
  return stats.uid === userInfo().uid;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function checkLength(path: string): void {
  const longest = Buffer.byteLength(path) + 1 + MAX_SOCKET_NAME_BYTES;
  if (longest > MAX_SOCKET_PATH_BYTES) {
    throw unusable(path, `is too long: a unix socket's path has at most ${MAX_SOCKET_PATH_BYTES} bytes`);
  }
}

function unusable(path: string, why: string, cause?: unknown): AllcoresError {
  return new AllcoresError(
    "ALLCORES_ERR_INVALID_OPTION",
    `The runtime directory ${path} ${why}. Set RUNTIME_DIRECTORY to a short path of a folder of your own.`,
    { cause },
  );
}
