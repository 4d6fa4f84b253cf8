// Every way a task can fail to have a result, as a coded error, and how such an error travels to the caller's process.

import type { TaskError, ThrownByTask } from "../bus/cpu-messages.ts";
import { fromWireError, toWireError } from "../bus/messages.ts";
import { AllcoresError, PoolSaturatedError } from "../errors.ts";

const MAX_NAME_LENGTH = 64;
const MAX_KNOWN_TASKS = 20;
const MAX_TEXT_LENGTH = 4096;

export function taskPayloadError(message: string, cause?: Error): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_TASK_PAYLOAD", message, { cause });
}

/** The name may come from a client and be anything. */
export function taskUnknownError(task: string, known: readonly string[]): AllcoresError {
  const shown = known.slice(0, MAX_KNOWN_TASKS).join(", ");
  const more = known.length > MAX_KNOWN_TASKS ? ` and ${known.length - MAX_KNOWN_TASKS} more` : "";
  const advice = known.length === 0 ? "The app has no tasks." : `The app's tasks: ${shown}${more}.`;
  return new AllcoresError("ALLCORES_ERR_TASK_UNKNOWN", `There is no task ${quote(task)}. ${advice}`);
}

export function taskFailedError(task: string, how: string, thrown?: ThrownByTask): AllcoresError {
  const cause = thrown === undefined ? undefined : toCause(thrown);
  return new AllcoresError("ALLCORES_ERR_TASK_FAILED", `Task ${quote(task)} failed: ${how}`, { cause });
}

export function taskDeadlineError(task: string, deadlineMs: number, wasStarted: boolean): AllcoresError {
  const where = wasStarted ? "It was ended while it ran." : "It was still waiting for a thread.";
  return new AllcoresError(
    "ALLCORES_ERR_TASK_DEADLINE",
    `Task ${quote(task)} was not done within ${Math.round(deadlineMs)} ms. ${where}`,
  );
}

export function taskAbortedError(task: string, reason?: unknown): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_TASK_ABORTED", `Task ${quote(task)} was aborted by its caller.`, {
    cause: reason,
  });
}

export function taskCrashedError(task: string): AllcoresError {
  return new AllcoresError(
    "ALLCORES_ERR_TASK_CRASHED",
    `The cpu process ended while it ran task ${quote(task)}. A new one is being started; the task is not run again.`,
  );
}

export function toTaskError(error: unknown): TaskError {
  const queued = error instanceof PoolSaturatedError ? { queued: error.queued } : {};
  const cause = error instanceof AllcoresError && error.cause instanceof Error ? error.cause : undefined;
  return { ...toWireError(error), ...queued, ...(cause && { cause: describeThrown(cause) }) };
}

export function fromTaskError(error: TaskError): AllcoresError {
  if (error.queued !== undefined) return new PoolSaturatedError(error.queued);
  return fromWireError(error, error.cause && toCause(error.cause));
}

/** What a task threw, as text. Never throws itself, whatever was thrown. */
export function describeThrown(thrown: unknown): ThrownByTask {
  try {
    const { name, message, code, stack } = Object(thrown) as Record<keyof ThrownByTask, unknown>;
    if (typeof message !== "string") return { name: "Error", message: clip(String(thrown)) };
    return {
      name: typeof name === "string" ? clip(name) : "Error",
      message: clip(message),
      ...(typeof code === "string" && { code: clip(code) }),
      ...(typeof stack === "string" && { stack: clip(stack) }),
    };
  } catch {
    return { name: "Error", message: "something that cannot be shown" };
  }
}

function toCause({ message, ...rest }: ThrownByTask): Error {
  return Object.assign(new Error(message), rest);
}

function quote(task: string): string {
  return `"${task.length > MAX_NAME_LENGTH ? `${task.slice(0, MAX_NAME_LENGTH)}...` : task}"`;
}

function clip(text: string): string {
  return text.slice(0, MAX_TEXT_LENGTH);
}
