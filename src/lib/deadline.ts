// Every wait has a deadline; this is the one place that arms and clears its timer.

import { AllcoresError } from "../errors.ts";

/**
 * Resolves as `work` does, or rejects with `ALLCORES_ERR_DEADLINE` after `deadlineMs` milliseconds.
 * The work itself goes on: give it a signal if it has to be stopped. `advice` is the end of the error's message.
 */
export async function withDeadline<T>(work: Promise<T>, deadlineMs: number, what: string, advice = ""): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    const message = `${what} took longer than ${deadlineMs} ms.${advice === "" ? "" : ` ${advice}`}`;
    timer = setTimeout(() => reject(new AllcoresError("ALLCORES_ERR_DEADLINE", message)), deadlineMs);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves to `true` when `work` settled within `deadlineMs` milliseconds, to `false` when it did not. Never rejects. */
export async function settledWithin(work: Promise<unknown>, deadlineMs: number): Promise<boolean> {
  const settled = work.then(
    () => true,
    () => true,
  );
  return withDeadline(settled, deadlineMs, "work").catch(() => false);
}

/** A promise with its two ends. (`Promise.withResolvers` needs Node 22.) */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

export function defer<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
