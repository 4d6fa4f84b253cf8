// The file that carries the hub's state over a restart: read once, by the box it belongs to, undamaged and fresh.

import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { HubState } from "../../src/hub/hub-state.ts";
import { StateFile, type StateFileOptions } from "../../src/hub/state-file.ts";
import { attach, newHub, publish, TestWorker } from "../helpers/test-hub.ts";

const WINDOW_MS = 120_000;
const NOW = 1_700_000_000_000;
const OWNER: StateFileOptions["owner"] = { build: "1+frames.1", app: "chat/app.js", hostname: "box", bootId: "boot" };
const isRoot = userInfo().uid === 0;

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "allcores-state-"));
  path = join(folder, "hub-9400.state");
});

afterEach(() => rm(folder, { recursive: true }));

function fileOf(owner: Partial<StateFileOptions["owner"]> = {}): StateFile {
  return new StateFile({ path, owner: { ...OWNER, ...owner }, windowMs: WINDOW_MS });
}

function someState(): HubState {
  const hub = newHub();
  const home = new TestWorker(hub, 0);
  attach(hub, home, 1, "p");
  for (let i = 0; i < 5; i++) publish(hub, home, [], [], `message ${i}`);
  return hub.snapshot(0);
}

function save(state: HubState, now = NOW): Promise<void> {
  return fileOf().write(state, now, AbortSignal.timeout(10_000));
}

describe("the file of the hub's state", () => {
  test("gives back what was saved, is for its user alone, and is the only thing left in the folder", async () => {
    const state = someState();

    await save(state);

    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["hub-9400.state"]);
    expect(await fileOf().read(NOW + WINDOW_MS)).toEqual(state);
  });

  test("can be read again by a box that comes after one that never served, and by nobody after `consume`", async () => {
    await save(someState());

    const first = await fileOf().read(NOW);
    const file = fileOf();
    const second = await file.read(NOW);
    file.consume();

    expect(second).toEqual(first);
    expect(await fileOf().read(NOW)).toBeUndefined();
  });

  test("is not there when nothing was saved, which is no error", async () => {
    expect(await fileOf().read(NOW)).toBeUndefined();
  });

  test("is refused and set aside when it was cut short anywhere", async () => {
    await save(someState());
    const whole = await readFile(path);

    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), async (length) => {
        await writeFile(path, whole.subarray(0, length), { mode: 0o600 });

        await expect(fileOf().read(NOW)).rejects.toMatchObject({ code: "ALLCORES_ERR_HUB_STATE" });
        expect(await readFile(`${path}.rejected-1`)).toEqual(whole.subarray(0, length));
      }),
    );
    expect((await readdir(folder)).sort()).toEqual(["hub-9400.state.rejected-1", "hub-9400.state.rejected-2"]);
  });

  test("is refused when any bit of it is another one", async () => {
    await save(someState());
    const whole = await readFile(path);

    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(7), async (at, bit) => {
        const flipped = Buffer.from(whole);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
        await writeFile(path, flipped, { mode: 0o600 });

        await expect(fileOf().read(NOW)).rejects.toMatchObject({ code: "ALLCORES_ERR_HUB_STATE" });
      }),
      { numRuns: 300 },
    );
  });

  test("is refused when something follows it", async () => {
    await save(someState());
    await writeFile(path, Buffer.concat([await readFile(path), Buffer.from("x")]));

    await expect(fileOf().read(NOW)).rejects.toThrow(/1 bytes follow its end/);
  });

  test.each([
    ["of another build", { build: "2+frames.1" }, NOW, /of 1\+frames\.1, and this is 2\+frames\.1/],
    ["of another app", { app: "shop/app.js" }, NOW, /of the app chat\/app\.js, and this is shop\/app\.js/],
    ["of another machine", { hostname: "other", bootId: "other" }, NOW, /of another machine, box/],
    ["too old", {}, NOW + WINDOW_MS + 1, /saved 120 s ago/],
    ["from the future", {}, NOW - 60_000, /a time that is still to come/],
  ])("is refused and set aside when it is %s", async (_what, owner, now, message) => {
    await save(someState());

    await expect(fileOf(owner).read(now)).rejects.toThrow(message);

    expect(await readdir(folder)).toEqual(["hub-9400.state.rejected-1"]);
    expect(await fileOf().read(NOW)).toBeUndefined();
  });

  test.each([
    ["after the machine has been booted", { bootId: "another" }],
    ["in a container that was made anew", { hostname: "another" }],
  ])("is taken up %s", async (_what, owner) => {
    await save(someState());

    expect(await fileOf(owner).read(NOW)).toBeDefined();
  });

  test("is refused when others may read it", async () => {
    await save(someState());
    await chmod(path, 0o640);

    await expect(fileOf().read(NOW)).rejects.toThrow(/others may read or write it/);
  });

  test.runIf(isRoot)("is refused when it belongs to another user", async () => {
    await save(someState());
    await chown(path, 12_345, 12_345);

    await expect(fileOf().read(NOW)).rejects.toThrow(/belongs to another user/);
  });

  test("is refused when it is a link or a folder", async () => {
    await save(someState());
    await rm(path);
    await mkdir(join(folder, "elsewhere"));
    await symlink(join(folder, "elsewhere"), path);
    await expect(fileOf().read(NOW)).rejects.toMatchObject({ code: "ALLCORES_ERR_HUB_STATE" });

    await mkdir(path);
    await expect(fileOf().read(NOW)).rejects.toThrow(/it is no file/);
  });

  test("is not half there when there was no time to save it", async () => {
    const before = someState();
    await save(before);

    await expect(fileOf().write(someState(), NOW, AbortSignal.abort())).rejects.toMatchObject({
      code: "ALLCORES_ERR_HUB_STATE",
    });

    expect(await readdir(folder)).toEqual(["hub-9400.state"]);
    expect(await fileOf().read(NOW)).toEqual(before);
  });

  test("what an interrupted save left behind goes with the next start", async () => {
    await writeFile(`${path}.tmp`, "half");

    await fileOf().read(NOW);

    expect(await readdir(folder)).toEqual([]);
  });

  test("cannot be saved where there is no folder, and says so", async () => {
    const file = new StateFile({ path: join(folder, "gone", "hub.state"), owner: OWNER, windowMs: WINDOW_MS });

    await expect(file.write(someState(), NOW, AbortSignal.timeout(10_000))).rejects.toMatchObject({
      code: "ALLCORES_ERR_HUB_STATE",
    });
  });
});
