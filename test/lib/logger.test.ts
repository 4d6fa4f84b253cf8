import { describe, expect, test } from "vitest";
import { errorFields } from "../../src/lib/logger.ts";

function failsAtHome(): Error {
  return new Error("the database is not there");
}

describe("errorFields", () => {
  test("has the place where the original error was thrown", () => {
    const cause = failsAtHome();

    const fields = errorFields(new Error("the app cannot start", { cause }));

    expect(fields).toMatchObject({
      err: {
        message: "the app cannot start",
        cause: "the database is not there",
        stack: expect.stringMatching("AtHome"),
      },
    });
  });

  test("comes to an end when an error is its own cause", () => {
    const error = new Error("again");
    error.cause = error;

    expect(errorFields(error)).toMatchObject({ err: { cause: "again" } });
  });
});
