import { describe, expect, test } from "vitest";
import { findJsonError } from "../../src/lib/json-error.ts";

describe("findJsonError", () => {
  test.each([
    ["", 1, 1, "a value"],
    ["{", 1, 2, "a name in double quotes"],
    ['{\n  "port": 3000,\n}', 3, 1, "a name in double quotes"],
    ['{\n  "port" 3000\n}', 2, 10, '":"'],
    ['{ "a": 1 "b": 2 }', 1, 10, '"," or "}"'],
    ["[1, 2", 1, 6, '"," or "]"'],
    ["{'a': 1}", 1, 2, "a name in double quotes"],
    ['{"a": tru}', 1, 7, "a value"],
    ['{"a": 01}', 1, 8, '"," or "}"'],
    ['{"a": "two\nlines"}', 1, 7, "a value"],
    ['{"a": "\\x"}', 1, 7, "a value"],
    ['{"a": 1} // note', 1, 10, "the end of the file"],
  ])("%j stops being JSON at %i:%i", (text, line, column, expected) => {
    expect(() => JSON.parse(text)).toThrow();

    expect(findJsonError(text)).toEqual({ line, column, expected });
  });

  test("reads over everything that is JSON to the one fault behind it", () => {
    const good = JSON.stringify({ a: [1, -2.5e-3, true, null, '\u2028 "q" \\ é', {}, []], "": { b: "" } }, null, 1);

    expect(findJsonError(`${good}!`)).toMatchObject({ line: good.split("\n").length, expected: "the end of the file" });
  });
});
