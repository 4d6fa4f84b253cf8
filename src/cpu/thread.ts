// Runs in a thread of the pool: loads the task's file, calls it, and turns whatever happens into a plain answer.
// It never throws, so that no task can end its thread by what it throws or returns.

import { pathToFileURL } from "node:url";
import type { ThrownByTask } from "../bus/cpu-messages.ts";
import { toError } from "../errors.ts";
import { decodeValue, encodeValue } from "./codec.ts";
import { describeThrown } from "./task-errors.ts";

export interface ThreadJob {
  readonly task: string;
  readonly file: string;
  readonly payload: Uint8Array;
  readonly maxResultBytes: number;
}

export type ThreadAnswer =
  | { readonly result: Uint8Array }
  /** The task threw. */
  | { readonly thrown: ThrownByTask }
  /** The task's result cannot travel. */
  | { readonly refused: string };

type Task = (payload: unknown) => unknown;

export default async function runTask({ task, file, payload, maxResultBytes }: ThreadJob): Promise<ThreadAnswer> {
  let value: unknown;
  try {
    const run = await loadTask(file);
    value = await run(decodeValue(payload));
  } catch (thrown) {
    return { thrown: describeThrown(thrown) };
  }
  try {
    return { result: encodeValue(value, maxResultBytes, `The result of task "${task}"`) };
  } catch (error) {
    return { refused: toError(error).message };
  }
}

/** Node keeps loaded modules, so this is a look-up from the second time on. */
async function loadTask(file: string): Promise<Task> {
  const { default: outer } = (await import(pathToFileURL(file).href)) as { default?: unknown };
  // A transpiled CommonJS module has its default export one level deeper.
  const { default: inner } = Object(outer) as { default?: unknown };
  const task = typeof outer === "function" ? outer : inner;
  if (typeof task !== "function") throw new TypeError(`${file} has no function as its default export`);
  return task as Task;
}
