import { describe, expect, test } from "vitest";
import { callContained, runMiddlewares } from "../../src/limits/contain.ts";

describe("callContained", () => {
  test("calls with `this` and the arguments", () => {
    const self = { factor: 2 };
    let result = 0;

    callContained(
      function (this: unknown, ...args) {
        result = (this as typeof self).factor * Number(args[0]);
      },
      self,
      [21],
      () => {},
    );

    expect(result).toBe(42);
  });

  test("reports what is thrown", () => {
    const failures: unknown[] = [];

    callContained(
      () => {
        throw new Error("sync");
      },
      undefined,
      [],
      (error) => failures.push(error),
    );

    expect(failures).toEqual([new Error("sync")]);
  });

  test("reports what a promise rejects with", async () => {
    const failure = new Promise((resolve) => {
      callContained(() => Promise.reject(new Error("async")), undefined, [], resolve);
    });

    expect(await failure).toEqual(new Error("async"));
  });

  // A query builder runs its query when `then` is called.
  test("does not call `then` of what is no promise", () => {
    let isStarted = false;
    // biome-ignore lint/suspicious/noThenProperty: the test is about such objects
    const query = { then: () => (isStarted = true) };

    callContained(
      () => query,
      undefined,
      [],
      () => {},
    );

    expect(isStarted).toBe(false);
  });
});

describe("runMiddlewares", () => {
  const run = (middlewares: Parameters<typeof runMiddlewares>[0]): Promise<unknown> =>
    new Promise((resolve) => runMiddlewares(middlewares, "subject", resolve, (error) => `answered ${error}`));

  test("runs them in order, also when they take their time", async () => {
    const order: string[] = [];

    const outcome = await run([
      (subject, next) => setTimeout(() => next(void order.push(`first ${subject}`)), 1),
      (_subject, next) => next(void order.push("second")),
    ]);

    expect(outcome).toBeUndefined();
    expect(order).toEqual(["first subject", "second"]);
  });

  test("stops at the first error", async () => {
    const outcome = await run([(_subject, next) => next("no"), () => expect.unreachable()]);

    expect(outcome).toBe("no");
  });

  test("takes a throw and a rejection for an error", async () => {
    const thrown = await run([
      () => {
        throw "sync";
      },
    ]);
    const rejected = await run([() => Promise.reject("async")]);

    expect([thrown, rejected]).toEqual(["answered sync", "answered async"]);
  });

  // Socket.IO would connect such a client twice.
  test("does not go on twice when `next` is called twice", () => {
    const outcomes: unknown[] = [];

    runMiddlewares(
      [(_subject, next) => [next(), next(), next("late")]],
      "subject",
      (error) => outcomes.push(error),
      String,
    );

    expect(outcomes).toEqual([undefined]);
  });
});
