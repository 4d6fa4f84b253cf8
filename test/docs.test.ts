// The README says what the code has, and nothing that it has not.
// ALLCORES_TEST_WRITE_README=1 writes the tables that are made from the code's own.

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Socket } from "socket.io-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { SCENARIOS } from "../src/bench/scenarios.ts";
import { flagsOf, SETS } from "../src/cli/bench-command.ts";
import { flagName } from "../src/cli/flag-table.ts";
import { VERBS } from "../src/cli/verbs.ts";
import { ERROR_CODES, EXIT } from "../src/errors.ts";
import { METRIC_TABLE } from "../src/metrics/table.ts";
import { envOf, OPTION_NAMES } from "../src/options/resolve.ts";
import { OPTION_TABLE, type Row } from "../src/options/table.ts";
import { startBox, type TestBox } from "./helpers/box.ts";
import { newClient, nextEvent } from "./helpers/clients.ts";
import { filesIn, GENERATED, readReadme, section, writeSection } from "./helpers/readme.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Flags of other programs, in commands that the README prints. */
const FOREIGN_FLAGS = ["--now", "--full"];

if (process.env.ALLCORES_TEST_WRITE_README === "1") {
  for (const [name, make] of Object.entries(GENERATED)) writeSection(name, make());
}
const README = readReadme();

const firstCells = (rows: string): string[] => [...rows.matchAll(/^\| `([^`]+)`/gm)].map(([, cell = ""]) => cell);
const allMatches = (pattern: RegExp): string[] => [...new Set([...README.matchAll(pattern)].map(([match]) => match))];
const flagsIn = (text: string): string[] => [...new Set(text.match(/(?<![\w-])--[a-z][a-z0-9-]*/g))];

describe("the README's tables", () => {
  test.each(Object.keys(GENERATED))("%s is what the code says", (name) => {
    const advice = "ALLCORES_TEST_WRITE_README=1 npx vitest run test/docs.test.ts writes it";

    expect(section(README, name), advice).toBe(GENERATED[name]?.());
  });

  test("errors has every code, in order", () => {
    expect(firstCells(section(README, "errors"))).toEqual([...ERROR_CODES]);
  });

  test("verbs has every verb, in order", () => {
    expect(firstCells(section(README, "verbs"))).toEqual(VERBS.map(({ name }) => name));
  });

  test("exit-codes has every exit code", () => {
    expect(firstCells(section(README, "exit-codes")).map(Number)).toEqual(Object.values(EXIT));
  });
});

describe("flags", () => {
  const benchNames = [...SCENARIOS.map(({ name }) => name), ...Object.keys(SETS)];
  const benchFlags = benchNames.flatMap((name) =>
    Object.keys(flagsOf(name, SCENARIOS)).map((param) => flagName(param)),
  );
  const known = new Set([
    ...VERBS.flatMap(({ help }) => flagsIn(help.replaceAll("--[no-]", "--"))),
    ...benchFlags.map((flag) => `--${flag}`),
    "--help",
    "--version",
  ]);

  test("every one is in the README", () => {
    const named = new Set(flagsIn(README));

    expect([...known].filter((flag) => !named.has(flag))).toEqual([]);
  });

  test("the README names none that there is not", () => {
    const own = flagsIn(README).filter((flag) => !FOREIGN_FLAGS.includes(flag));

    expect(own.filter((flag) => !known.has(flag) && !known.has(flag.replace("--no-", "--")))).toEqual([]);
  });
});

describe("the README names", () => {
  const groups = new Set(OPTION_NAMES.filter((name) => name.includes(".")).map((name) => name.split(".")[0]));

  test("only error codes that there are", () => {
    const named = allMatches(/ALLCORES_ERR_[A-Z_]+/g);

    expect(named.filter((code) => !ERROR_CODES.some((known) => known === code))).toEqual([]);
  });

  test("only metrics that there are", () => {
    const named = allMatches(/\ballcores_[a-z0-9_]+/g);

    expect(named.filter((metric) => !Object.hasOwn(METRIC_TABLE, metric))).toEqual([]);
  });

  test("only environment variables that there are", () => {
    const known = OPTION_NAMES.flatMap((name) => {
      const { secret }: Row = OPTION_TABLE[name];
      return secret === true ? [envOf(name), `${envOf(name)}_FILE`] : [envOf(name)];
    });

    const named = allMatches(/ALLCORES_(?!ERR_|TEST_)[A-Z_]+/g);

    expect(named.filter((variable) => !known.includes(variable))).toEqual([]);
  });

  test("only options that there are", () => {
    const named = allMatches(/(?<=`)[a-z]+\.[a-z][A-Za-z]*(?=`)/g).filter((name) => groups.has(name.split(".")[0]));

    expect(named.filter((name) => !Object.hasOwn(OPTION_TABLE, name))).toEqual([]);
  });

  test("only verbs that there are", () => {
    const named = allMatches(/(?<=(?:`|npx |main\.js )allcores )[a-z]+|(?<=main\.js )[a-z]+/g);

    expect(named.filter((name) => name !== "help" && !VERBS.some((verb) => verb.name === name))).toEqual([]);
  });

  test("only files that there are", () => {
    const links = [...README.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path = ""]) => path);

    expect(links.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

describe("the README's apps", () => {
  let folder: string;
  let box: TestBox | undefined;
  let clients: Socket[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "allcores-readme-"));
    await mkdir(join(folder, "node_modules"));
    await symlink(ROOT, join(folder, "node_modules", "allcores"));
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    for (const [path, text] of filesIn(README)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
  });

  afterEach(async () => {
    for (const client of clients) client.disconnect();
    clients = [];
    await box?.stop();
    box = undefined;
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function startApp(name: string): Promise<string> {
    box = await startBox({ app: join(folder, name) });
    return box.url;
  }

  function connect(url: string): Socket {
    const client = newClient(url);
    clients.push(client);
    return client;
  }

  test("app.js carries messages between workers, runs its task, and answers HTTP", async () => {
    const url = await startApp("app.js");
    const [ann, bob] = [connect(url), connect(url)];
    await Promise.all([ann.emitWithAck("join", "lobby"), bob.emitWithAck("join", "lobby")]);

    const heard = nextEvent(bob, "said");
    ann.emit("say", "lobby", "hello");
    const primes = await ann.emitWithAck("primes", 100);
    const page = await (await fetch(url)).text();

    expect(await heard).toEqual({ text: "hello", worker: expect.any(Number) });
    expect(primes).toBe(25);
    expect(page).toBe("Hello over HTTP.\n");
  });

  test("existing.js, a bare function, is an app", async () => {
    const client = connect(await startApp("existing.js"));

    expect(await client.emitWithAck("echo", "hello")).toBe("hello");
  });

  test("presence.js tells who is there, and who comes", async () => {
    const url = await startApp("presence.js");
    const [ann, bob] = [connect(url), connect(url)];
    const state = await ann.emitWithAck("enter", "lobby", "ann");

    const diff = nextEvent(ann, "presence:diff");
    await bob.emitWithAck("enter", "lobby", "bob");

    expect(state).toMatchObject({ room: "lobby", members: [{ user: "ann", count: 1 }] });
    expect(await diff).toMatchObject({ room: "lobby", joined: [{ user: "bob", count: 1 }], left: [] });
  });
});
