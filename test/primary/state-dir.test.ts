import { chmod, chown, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openStateDir } from "../../src/primary/state-dir.ts";
import { stateOwner } from "../../src/primary/state-owner.ts";

const isRoot = userInfo().uid === 0;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "allcores-state-"));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

describe("the state directory", () => {
  test("systemd's comes first, then the user's own for state, then one in the home folder", async () => {
    vi.stubEnv("HOME", join(folder, "home"));
    const fromSystemd = `${join(folder, "one")}:${join(folder, "two")}`;
    const session = join(folder, "session");

    expect(await openStateDir({ STATE_DIRECTORY: fromSystemd, XDG_STATE_HOME: session })).toBe(join(folder, "one"));
    expect(await openStateDir({ XDG_STATE_HOME: session })).toBe(join(session, "allcores"));
    expect(await openStateDir({})).toBe(join(folder, "home", ".local", "state", "allcores"));
  });

  test("is made for its user alone", async () => {
    const { mode } = await stat(await openStateDir({ XDG_STATE_HOME: folder }));

    expect(mode & 0o777).toBe(0o700);
  });

  test("is refused when others may write to it", async () => {
    await chmod(folder, 0o777);

    await expect(openStateDir({ STATE_DIRECTORY: folder })).rejects.toThrow(/others may write to it/);
  });

  test.runIf(isRoot)("is refused when it belongs to another user", async () => {
    await chown(folder, 12_345, 12_345);

    await expect(openStateDir({ STATE_DIRECTORY: folder })).rejects.toThrow(/belongs to another user/);
  });

  test("is refused when it is no folder, with advice", async () => {
    await writeFile(join(folder, "allcores"), "");

    await expect(openStateDir({ XDG_STATE_HOME: folder })).rejects.toMatchObject({
      code: "ALLCORES_ERR_HUB_STATE",
      message: expect.stringContaining("Set STATE_DIRECTORY"),
    });
  });
});

describe("the owner of a saved state", () => {
  // A deploy that puts each release into a folder of its own changes the path, not the app.
  test("is named by the app's package, wherever that lies", async () => {
    const releases = [join(folder, "1"), join(folder, "2")];
    for (const release of releases) {
      await mkdir(join(release, "src"), { recursive: true });
      await writeFile(join(release, "package.json"), JSON.stringify({ name: "chat" }));
    }

    const owners = releases.map((release) => stateOwner(pathToFileURL(join(release, "src", "app.js"))));

    expect(owners[0]).toEqual(owners[1]);
    expect(owners[0]?.app).toBe("chat/src/app.js");
  });

  test("is named by its path when no package has a name", () => {
    const path = join(folder, "app.js");

    expect(stateOwner(pathToFileURL(path)).app).toBe(path);
  });
});
