import { describe, expect, test } from "vitest";
import { describeThrown, fromTaskError, taskFailedError, toTaskError } from "../../src/cpu/task-errors.ts";
import { PoolSaturatedError } from "../../src/errors.ts";

const travel = (error: Error) => fromTaskError(JSON.parse(JSON.stringify(toTaskError(error))));

describe("the errors of tasks", () => {
  test("keep their code, and what the task threw, on their way to the caller", () => {
    const thrown = Object.assign(new RangeError("too red"), { code: "E_COLOUR" });

    const error = travel(taskFailedError("paint", "RangeError: too red", describeThrown(thrown)));

    expect(error).toMatchObject({
      code: "ALLCORES_ERR_TASK_FAILED",
      message: 'Task "paint" failed: RangeError: too red',
      cause: { name: "RangeError", message: "too red", code: "E_COLOUR", stack: thrown.stack },
    });
  });

  test("stay a PoolSaturatedError with its number", () => {
    const error = travel(new PoolSaturatedError(12));

    expect(error).toBeInstanceOf(PoolSaturatedError);
    expect(error).toMatchObject({ queued: 12 });
  });

  test.each([
    ["a text", "no", "no"],
    ["nothing", undefined, "undefined"],
    ["an object without a prototype", Object.create(null), "something that cannot be shown"],
    ["an object that hides its message", { message: 5 }, "[object Object]"],
    [
      "a trap",
      new Proxy(
        {},
        {
          get() {
            throw new Error("caught you");
          },
        },
      ),
      "something that cannot be shown",
    ],
  ])("describe %s without throwing", (_what, thrown, message) => {
    expect(describeThrown(thrown)).toMatchObject({ name: "Error", message });
  });

  test("carry so much of a huge message and no more", () => {
    const { message } = describeThrown(new Error("x".repeat(1e6)));

    expect(message).toHaveLength(4096);
  });
});
