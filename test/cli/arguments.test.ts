import { describe, expect, test } from "vitest";
import { parseArguments } from "../../src/cli/arguments.ts";

const spec = {
  flags: { port: { type: "string" }, json: { type: "boolean" }, "no-wait": { type: "boolean" } },
  maxPositionals: 1,
} as const;

const parse = (...args: string[]) => parseArguments("start", args, spec);

describe("parseArguments", () => {
  test("takes flags in every usual form, and positionals between them", () => {
    expect(parse("--port", "80", "app.js", "--json")).toMatchObject({
      flags: { port: "80", json: true },
      positionals: ["app.js"],
    });
    expect(parse("--port=80", "--json=false").flags).toEqual({ port: "80", json: false });
    expect(parse("--", "--odd-name.js").positionals).toEqual(["--odd-name.js"]);
  });

  test("--no-NAME turns a boolean off; a name that begins with no- stays one", () => {
    expect(parse("--no-json", "--no-wait").flags).toEqual({ json: false, "no-wait": true });
  });

  test("the last one of a flag given twice counts", () => {
    expect(parse("--port", "1", "--port", "2").flags).toEqual({ port: "2" });
  });

  test("a negative number is a value, not a flag", () => {
    expect(parse("--port", "-1").flags).toEqual({ port: "-1" });
  });

  test.each([
    [["--prot", "80"], "has no flag --prot. Did you mean --port?"],
    [["--no-port"], "has no flag --no-port."],
    [["-x"], "has no flag -x."],
    [["--port"], "--port needs a value, as in `--port=VALUE`."],
    [["--port", "--json"], "--port needs a value"],
    [["--json=maybe"], "--json takes no value but true or false."],
    [["--no-json=true"], "--no-json takes no value"],
    [["a.js", "b.js"], 'does not take "b.js".'],
    [["--constructor"], "has no flag --constructor."],
  ])("refuses %j", (args, message) => {
    expect(() => parse(...args)).toThrow(
      expect.objectContaining({ code: "ALLCORES_ERR_USAGE", message: expect.stringContaining(message) }),
    );
  });
});
