import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findTaskFolder, TaskFolder, taskFolderUrl } from "../../src/cpu/tasks.ts";
import { TASKS } from "../helpers/cpu-box.ts";

const fixtures = new TaskFolder(TASKS.href);

describe("TaskFolder", () => {
  test.each([
    ["echo", "echo.mjs"],
    ["commonjs", "commonjs.cjs"],
  ])("finds task %s in the file %s", async (task, file) => {
    const found = await fixtures.find(task);

    expect(found).toBe(join(fileURLToPath(TASKS), file));
  });

  test.each([
    "../helpers/cpu-box",
    "nested/inner",
    "nested",
    "./echo",
    "echo.mjs",
    "ignored.d",
    "ignored",
    "",
    "__proto__",
    "/etc/passwd",
    "echo\0",
  ])("knows no task %j", async (task) => {
    await expect(fixtures.find(task)).rejects.toMatchObject({ code: "ALLCORES_ERR_TASK_UNKNOWN" });
  });

  test("names the known tasks, and cuts short what was asked for", async () => {
    const error: Error = await fixtures.find("x".repeat(10_000)).catch((thrown) => thrown);

    expect(error.message).toMatch(
      /^There is no task "x{64}\.\.\."\. The app's tasks: aborts-process, breaks-later, .+\.$/,
    );
    expect(error.message.length).toBeLessThan(1000);
  });
});

describe("TaskFolder, while files come and go", () => {
  let path: string;
  let now: number;
  let folder: TaskFolder;

  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), "allcores-tasks-"));
    now = 0;
    folder = new TaskFolder(pathToFileURL(path).href, () => now);
  });

  afterEach(() => rm(path, { recursive: true, force: true }));

  test("prefers what was built to its source", async () => {
    for (const name of ["draw.ts", "draw.js", "draw.d.ts", "draw.js.map"]) await writeFile(join(path, name), "");

    expect(await folder.find("draw")).toBe(join(path, "draw.js"));
  });

  test("sees a file that was added, and looks for it once a second at most", async () => {
    const unknown = folder.find("late").catch(({ code }) => code);
    await unknown;
    await writeFile(join(path, "late.js"), "");

    now = 999;
    const soon = await folder.find("late").catch(({ code }) => code);
    now = 1000;
    const later = await folder.find("late");

    expect([await unknown, soon, later]).toEqual([
      "ALLCORES_ERR_TASK_UNKNOWN",
      "ALLCORES_ERR_TASK_UNKNOWN",
      join(path, "late.js"),
    ]);
  });

  test("says why the folder cannot be read", async () => {
    await rm(path, { recursive: true });
    await expect(folder.find("echo")).rejects.toMatchObject({ code: "ALLCORES_ERR_APP" });
    await expect(folder.find("echo")).rejects.toMatchObject({ code: "ALLCORES_ERR_APP" });
  });
});

describe("taskFolderUrl", () => {
  test.each([
    [new URL("file:///srv/app/workers/"), "file:///srv/app/workers/"],
    ["file:///srv/app/workers/", "file:///srv/app/workers/"],
    ["/srv/my app/workers", "file:///srv/my%20app/workers"],
  ])("takes %s", (tasks, url) => {
    expect(taskFolderUrl(tasks)).toBe(url);
  });

  test.each(["./workers/", "https://example.com/workers/", ""])("refuses %s and shows what is meant", (tasks) => {
    const toUrl = () => taskFolderUrl(tasks);

    expect(toUrl).toThrow(/must be a file URL or an absolute path, got ".*"\. Use new URL/);
  });
});

describe("findTaskFolder", () => {
  test("refuses a folder that is not there, and a file: the app would learn it at its first task", () => {
    const file = new URL("echo.mjs", TASKS);

    expect(findTaskFolder(TASKS)).toBe(TASKS.href);
    for (const tasks of [new URL("absent/", TASKS), file]) {
      expect(() => findTaskFolder(tasks)).toThrow(`${fileURLToPath(tasks)}, and there is no such folder.`);
    }
  });
});
