// The calling end of the control socket.

import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { fromWireError } from "../bus/messages.ts";
import { AllcoresError } from "../errors.ts";
import { defer, withDeadline } from "../lib/deadline.ts";
import type { ControlAnswer } from "./control.ts";
import { readJsonLines, writeJsonLine } from "./json-lines.ts";
import { controlSocketPath, runtimeDirCandidates } from "./runtime-dir.ts";

export interface CallBoxOptions {
  /** The admin port of the box: it names the control socket. */
  readonly adminPort: number;
  readonly env: NodeJS.ProcessEnv;
  /** How long the whole call may take, in milliseconds. */
  readonly timeoutMs: number;
  /** What to tell the user when it took longer. */
  readonly lateAdvice?: string;
  readonly onProgress?: (progress: unknown) => void;
  /** Resolve when the box's process is gone, not when it answered. @default false */
  readonly awaitEnd?: boolean;
}

const MAX_ANSWER_BYTES = 4_194_304;

/**
 * Asks the running box to do `verb` and resolves to its answer.
 * Rejects with `ALLCORES_ERR_NO_BOX` when there is none, with `ALLCORES_ERR_DEADLINE` when it took too long, and
 * with the box's own error.
 */
export async function callBox(verb: string, options: CallBoxOptions): Promise<unknown> {
  const socket = await connectToBox(options);
  try {
    const answered = exchange(socket, verb, options);
    return await withDeadline(answered, options.timeoutMs, `\`${verb}\` of the box`, options.lateAdvice);
  } finally {
    socket.destroy();
  }
}

function exchange(socket: Socket, verb: string, { onProgress, awaitEnd = false }: CallBoxOptions): Promise<unknown> {
  const answered = defer<unknown>();
  const ended = defer<void>();
  socket.on("error", () => {});
  socket.on("close", () => {
    ended.resolve();
    answered.reject(new AllcoresError("ALLCORES_ERR_NO_BOX", "The box ended before it had answered."));
  });
  readJsonLines(socket, MAX_ANSWER_BYTES, (value) => {
    const answer = value as ControlAnswer;
    if ("progress" in answer) onProgress?.(answer.progress);
    else if ("error" in answer) answered.reject(fromWireError(answer.error));
    else answered.resolve(answer.result);
  });
  writeJsonLine(socket, { verb });

  if (!awaitEnd) return answered.promise;
  return answered.promise.then(async (result) => {
    await ended.promise;
    return result;
  });
}

async function connectToBox({ adminPort, env }: CallBoxOptions): Promise<Socket> {
  const paths = runtimeDirCandidates(env).map((dir) => controlSocketPath(dir, adminPort));
  const failures: NodeJS.ErrnoException[] = [];
  for (const path of paths) {
    const socket = createConnection(path);
    try {
      await once(socket, "connect");
      return socket;
    } catch (error) {
      failures.push(error as NodeJS.ErrnoException);
    }
  }
  throw noBox(paths, failures);
}

function noBox(paths: readonly string[], failures: readonly NodeJS.ErrnoException[]): AllcoresError {
  const isForbidden = failures.some(({ code }) => code === "EACCES");
  const advice = isForbidden
    ? "It belongs to another user: run this as that user, or as root."
    : "Start one with `allcores start`. If one is running, give the --admin-port it has, and run this as its user (for a systemd unit also with its RUNTIME_DIRECTORY).";
  return new AllcoresError("ALLCORES_ERR_NO_BOX", `No box answers at ${paths.join(" or ")}. ${advice}`);
}
