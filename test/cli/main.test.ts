import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { VERBS } from "../../src/cli/verbs.ts";
import { CLI } from "../helpers/box.ts";
import { runCli } from "../helpers/cli.ts";

describe("allcores", () => {
  test.each([["--help"], ["-h"], ["help"]])("%s lists every verb", async (flag) => {
    const { code, out } = await runCli([flag]);

    expect(code).toBe(0);
    for (const { name, summary } of VERBS) expect(out).toMatch(new RegExp(`^  ${name} +${summary.slice(0, 20)}`, "m"));
  });

  test("without a verb it prints the same list as advice, and exits 64", async () => {
    const { code, out, err } = await runCli([]);

    expect([code, out]).toEqual([64, ""]);
    expect(err).toContain("Usage: allcores VERB");
  });

  test("--version prints the version alone", async () => {
    const { code, out } = await runCli(["--version"]);

    expect(code).toBe(0);
    expect(out).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
  });

  test.each(VERBS.map(({ name }) => name))("`help %s` says the same as --help after it", async (name) => {
    const [byVerb, byFlag] = await Promise.all([runCli(["help", name]), runCli([name, "--help"])]);

    expect(byVerb).toEqual(byFlag);
    expect(byVerb.out).toContain(`Usage: allcores ${name}`);
  });

  test.each([
    [["strat"], "Did you mean `allcores start`?"],
    [["help", "stats"], "Did you mean `allcores status`?"],
    [["--prot", "80"], "There is no flag --prot before the verb."],
    [["xyzzy"], 'There is no verb "xyzzy".'],
  ])("%j is answered with what was probably meant, and exits 64", async (args, message) => {
    const { code, err } = await runCli(args);

    expect(code).toBe(64);
    expect(err).toContain(message);
  });

  test("an error is one line, and has its stack only with LOG_LEVEL=debug", async () => {
    const [short, long] = await Promise.all([
      runCli(["start", "--prot", "80"]),
      runCli(["start", "--prot", "80"], { LOG_LEVEL: "debug" }),
    ]);

    expect(short.err).toBe(
      "allcores: `allcores start` has no flag --prot. Did you mean --port? See `allcores start --help`.\n",
    );
    expect(long.err).toMatch(/^allcores: .*\n[\s\S]*\n {4}at /);
  });

  test("a reader that leaves early is no crash", async () => {
    const child = spawn(process.execPath, [CLI, "help", "start"], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    const [err, [code, signal]] = await Promise.all([text(child.stderr), once(child, "exit")]);

    expect([err, code, signal]).toEqual(["", 0, null]);
  });
});
