import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DescribedOption } from "../../src/options/describe.ts";
import { OPTION_NAMES } from "../../src/options/resolve.ts";
import { runCli } from "../helpers/cli.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "allcores-config-"));
});

afterAll(() => rm(folder, { recursive: true }));

async function writeConfig(text: string): Promise<string> {
  const path = join(folder, "allcores.json");
  await writeFile(path, text);
  return path;
}

describe("allcores config", () => {
  test("flag beats environment beats file beats default, and each is named", async () => {
    const file = await writeConfig('{ "port": 1, "host": "127.0.0.2", "cpu": { "maxQueue": 7 } }');

    const { code, out } = await runCli(["config", "--json", "--config", file, "--port", "3"], {
      PORT: "2",
      HOST: "127.0.0.3",
    });
    const options = JSON.parse(out) as DescribedOption[];

    const chosen = ["port", "host", "cpu.maxQueue", "adminPort"].map((name) => {
      const { value, source } = options.find((option) => option.name === name) ?? {};
      return [name, value, source];
    });
    expect(code).toBe(0);
    expect(chosen).toEqual([
      ["port", 3, "flag"],
      ["host", "127.0.0.3", "environment"],
      ["cpu.maxQueue", 7, "file"],
      ["adminPort", 9400, "default"],
    ]);
  });

  test("shows every option to people, without a secret and without colours off a terminal", async () => {
    const secret = "correct horse battery staple, twice over";

    const { out } = await runCli(["config"], { ALLCORES_AUTH_JWT_SECRET: secret, PORT: "81" });

    for (const name of OPTION_NAMES) expect(out).toContain(`${name} `);
    expect(out).toMatch(/^port +81 +PORT$/m);
    expect(out).toMatch(/^auth\.jwtSecret +\*\*\* +ALLCORES_AUTH_JWT_SECRET$/m);
    expect(out).not.toContain(secret);
    expect(out).not.toContain("\u001b");
  });

  test("--check says one line when all is well", async () => {
    const { code, out } = await runCli(["config", "--check"]);

    expect([code, out]).toEqual([0, "The options are valid.\n"]);
  });

  test.each([
    [["--port", "eighty"], '--port must be a whole number from 0 to 65535, got "eighty".'],
    [["--bus", "redis"], '--bus must be one of box, ipc, got "redis".'],
  ])("--check exits 78 for %j", async (flags, message) => {
    const { code, err } = await runCli(["config", "--check", ...flags]);

    expect([code, err]).toEqual([78, `allcores: ${message}\n`]);
  });

  test.each([
    ['{\n  "port": 3000,\n}', "allcores.json:3:1 is no valid JSON: a name in double quotes expected."],
    ['{ "prot": 3000 }', 'has "prot", which is no option. Did you mean "port"?'],
    ["[]", "must be a JSON object"],
  ])("a file with %j is refused with its place", async (text, message) => {
    const { code, err } = await runCli(["config", "--config", await writeConfig(text)]);

    expect(code).toBe(78);
    expect(err).toContain(message);
  });

  test("a variable that sets no option is told about, and changes nothing", async () => {
    const { code, out, err } = await runCli(["config", "--check"], { ALLCORES_LOG_LEVEL: "debug" });

    expect([code, out]).toEqual([0, "The options are valid.\n"]);
    expect(err).toBe("The environment has ALLCORES_LOG_LEVEL, which sets no option. Did you mean LOG_LEVEL?\n");
  });

  test("a file that is not there is named", async () => {
    const { code, err } = await runCli(["config", "--config", join(folder, "absent.json")]);

    expect(code).toBe(78);
    expect(err).toContain("absent.json");
  });
});
