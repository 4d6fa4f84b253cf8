import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findApp } from "../../src/cli/app-file.ts";

let folder: string;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "allcores-app-")));
});

afterEach(() => rm(folder, { recursive: true }));

async function write(name: string, content = ""): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, content);
  return path;
}

const usageError = (message: RegExp) =>
  expect.objectContaining({ code: "ALLCORES_ERR_USAGE", message: expect.stringMatching(message) });

describe("findApp", () => {
  test("without a path the app is the demo", () => {
    expect(findApp(undefined, false).url.pathname).toMatch(/\/demo\/app\.js$/);
  });

  test.each([
    ["app.js", false],
    ["app.ts", true],
  ])("%s needs no further flag when Node strips types: %s", async (name, canStrip) => {
    const path = await write(name);

    const app = findApp(path, canStrip);

    expect([fileURLToPath(app.url), app.execArgv]).toEqual([path, []]);
  });

  test("TypeScript on an older Node runs through the app's own tsx", async () => {
    const path = await write("src/app.ts");
    await write("node_modules/tsx/package.json", '{ "name": "tsx", "exports": { ".": "./loader.mjs" } }');
    const loader = await write("node_modules/tsx/loader.mjs");

    const { execArgv } = findApp(path, false);

    expect(execArgv).toEqual(["--import", `file://${loader}`]);
  });

  test("TypeScript on an older Node without tsx is refused with three ways out", async () => {
    const path = await write("app.mts");

    expect(() => findApp(path, false)).toThrow(usageError(/Use Node 22\.18 or newer, or `npm install tsx`.*compile/));
  });

  test("a path that leads nowhere, or to a folder, is refused", () => {
    expect(() => findApp(join(folder, "absent.js"), true)).toThrow(usageError(/no app file .*absent\.js/));
    expect(() => findApp(folder, true)).toThrow(usageError(/is no file/));
  });
});
