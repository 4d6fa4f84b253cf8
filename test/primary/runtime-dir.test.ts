import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openRuntimeDir, removeDeadSockets, runtimeDirCandidates } from "../../src/primary/runtime-dir.ts";

const { uid } = userInfo();
const isRoot = uid === 0;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "allcores-rt-"));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

describe("the runtime directory", () => {
  test("systemd's comes first, then the session's, then one in the temporary folder", () => {
    vi.stubEnv("TMPDIR", "/some/tmp");
    const fallback = `/some/tmp/allcores-${uid}`;

    expect(runtimeDirCandidates({ RUNTIME_DIRECTORY: "/run/a:/run/b", XDG_RUNTIME_DIR: "/run/user/1" })).toEqual([
      "/run/a",
    ]);
    expect(runtimeDirCandidates({ XDG_RUNTIME_DIR: "/run/user/1" })).toEqual(["/run/user/1/allcores", fallback]);
    expect(runtimeDirCandidates({})).toEqual([fallback]);
  });

  test("is made for its user alone", async () => {
    const path = await openRuntimeDir({ XDG_RUNTIME_DIR: folder });
    const { mode } = await stat(path);

    expect(path).toBe(join(folder, "allcores"));
    expect(mode & 0o777).toBe(0o700);
  });

  test("is closed to others when it was open", async () => {
    await mkdir(join(folder, "allcores"));
    await chmod(join(folder, "allcores"), 0o777);

    const { mode } = await stat(await openRuntimeDir({ XDG_RUNTIME_DIR: folder }));

    expect(mode & 0o777).toBe(0o700);
  });

  // `su` and `sudo` keep the variable of whoever called them.
  test("a session folder that is gone is passed over", async () => {
    vi.stubEnv("TMPDIR", folder);

    const path = await openRuntimeDir({ XDG_RUNTIME_DIR: join(folder, "gone") });

    expect(path).toBe(join(folder, `allcores-${uid}`));
  });

  test.runIf(isRoot)("a session folder of another user is passed over", async () => {
    vi.stubEnv("TMPDIR", folder);
    await mkdir(join(folder, "session"));
    await chown(join(folder, "session"), uid + 12_345, 0);

    const path = await openRuntimeDir({ XDG_RUNTIME_DIR: join(folder, "session") });

    expect(path).toBe(join(folder, `allcores-${uid}`));
  });

  test.runIf(isRoot)("a folder of another user in a shared place is refused", async () => {
    vi.stubEnv("TMPDIR", folder);
    const path = join(folder, `allcores-${uid}`);
    await mkdir(path);
    await chown(path, uid + 12_345, 0);

    await expect(openRuntimeDir({})).rejects.toMatchObject({
      code: "ALLCORES_ERR_INVALID_OPTION",
      message: expect.stringContaining("belongs to another user"),
    });
  });

  test.each([
    ["a file", (path: string) => writeFile(path, "")],
    ["a link", (path: string) => symlink(folder, path)],
  ])("%s in its place is refused", async (_what, make) => {
    vi.stubEnv("TMPDIR", folder);
    await make(join(folder, `allcores-${uid}`));

    await expect(openRuntimeDir({})).rejects.toMatchObject({ code: "ALLCORES_ERR_INVALID_OPTION" });
  });

  test("a path too long for a unix socket is refused before anything is made", async () => {
    const path = join(folder, "x".repeat(90));

    await expect(openRuntimeDir({ RUNTIME_DIRECTORY: path })).rejects.toThrow(/at most 107 bytes/);
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("sockets in the runtime directory", () => {
  /** Listens on sockets of these names, `{pid}` being its own, and is killed. */
  async function leaveSockets(names: readonly string[]): Promise<number> {
    const listen = `for (const name of ${JSON.stringify(names)}) {
      require("node:net").createServer().listen(process.argv[1] + "/" + name.replace("{pid}", process.pid));
    }
    setTimeout(() => process.kill(process.pid, "SIGKILL"));`;
    const child = spawn(process.execPath, ["-e", listen, folder]);
    await once(child, "exit");
    return child.pid ?? 0;
  }

  test("that a killed primary has left are removed, and no others", async () => {
    const pid = await leaveSockets(["bus-{pid}.sock", "relay-{pid}.sock", "cpu-{pid}-3.sock", "mine-{pid}.sock"]);
    await writeFile(join(folder, "state"), "");

    await removeDeadSockets(folder);

    expect((await readdir(folder)).sort()).toEqual([`mine-${pid}.sock`, "state"]);
  });

  test("of a primary that lives stay, even when its number means nothing here", async () => {
    const own = `bus-${process.pid}.sock`;
    await leaveSockets([own]);
    const foreign = `relay-${await leaveSockets([])}.sock`;
    const server = createServer().listen(join(folder, foreign));
    await once(server, "listening");

    await removeDeadSockets(folder);

    expect((await readdir(folder)).sort()).toEqual([own, foreign]);
    server.close();
  });
});
