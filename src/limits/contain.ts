// Calls an app's code so that what it throws, now or later, stays with the one client it was called for.

import { types } from "node:util";
import type { Callback, Middleware } from "./socket-io.ts";

export type OnFailure = (error: unknown) => void;

/**
 * Calls `fn`; an error it throws, or its promise rejects with, goes to `onFailure` and no further. Only real promises
 * are watched: calling `then` on what merely looks like one can start things, such as a query builder's query.
 * Returns a promise that settles when the work is over, if `fn` is not over when it returns. It never rejects.
 */
export function callContained(
  fn: Callback,
  self: unknown,
  args: readonly unknown[],
  onFailure: OnFailure,
): Promise<unknown> | undefined {
  try {
    const result = Reflect.apply(fn, self, args);
    if (result !== undefined && types.isPromise(result)) return result.then(undefined, onFailure);
  } catch (error) {
    onFailure(error);
  }
  return undefined;
}

/** `fn` as a function that never throws. */
export function contained(fn: Callback, onFailure: OnFailure): Callback {
  return function (this: unknown, ...args) {
    callContained(fn, this, args, onFailure);
  };
}

/**
 * Runs middlewares as Socket.IO does: each calls `next`, an error ends the row. One that throws or rejects counts as one
 * that called `next` with what `onFailure` makes of the error. A second `next` of the same middleware does nothing.
 */
export function runMiddlewares(
  middlewares: readonly Middleware[],
  subject: unknown,
  done: (error?: unknown) => void,
  onFailure: (error: unknown) => unknown,
): void {
  const row = [...middlewares];
  const runFrom = (index: number): void => {
    const middleware = row[index];
    if (middleware === undefined) {
      done();
      return;
    }
    const next = once((error?: unknown) => (error ? done(error) : runFrom(index + 1)));
    callContained(middleware as Callback, undefined, [subject, next], (error) => next(onFailure(error)));
  };
  runFrom(0);
}

/** `fn` as a function that works the first time it is called. */
export function once<Args extends unknown[]>(fn: (...args: Args) => void): (...args: Args) => void {
  let isCalled = false;
  return (...args) => {
    if (isCalled) return;
    isCalled = true;
    fn(...args);
  };
}
