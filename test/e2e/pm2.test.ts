// The ecosystem file of the repository, under the real PM2.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { fixture } from "../helpers/box.ts";
import { connectClient, nextEvent } from "../helpers/clients.ts";
import { freePort } from "../helpers/free-port.ts";
import { Pm2, type Pm2Result } from "../helpers/pm2.ts";
import { until } from "../helpers/until.ts";

const ECOSYSTEM = fileURLToPath(new URL("../../ecosystem.config.js", import.meta.url));

// Each command of PM2 is a process that loads all of it, and a daemon that answers when it has time.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let pm2: Pm2;
let folder: string;
let url: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  pm2 = await Pm2.create();
});

afterAll(async () => {
  await pm2.end();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "allcores-pm2-app-"));
  const [port, adminPort] = [await freePort(), await freePort()];
  url = `http://127.0.0.1:${port}`;
  env = {
    HOST: "127.0.0.1",
    PORT: String(port),
    ALLCORES_ADMIN_PORT: String(adminPort),
    WEB_CONCURRENCY: "2",
    RUNTIME_DIRECTORY: folder,
    STATE_DIRECTORY: folder,
    WAIT_FOR_FILE: join(folder, "go"),
  };
});

afterEach(async () => {
  await pm2.run(["delete", "all"]);
  await rm(folder, { recursive: true });
});

/** `pm2 start` with the ecosystem file, another app, and further changes. */
async function start(app: string, changes: object = {}): Promise<Pm2Result> {
  const file = join(folder, "ecosystem.config.js");
  const change = JSON.stringify({ args: ["start", fixture(app)], ...changes });
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await writeFile(
    file,
    `import * as original from ${JSON.stringify(pathToFileURL(ECOSYSTEM).href)};
     export const apps = original.apps.map((app) => ({ ...app, ...${change} }));`,
  );
  return pm2.run(["start", file], env);
}

describe("a box under PM2", () => {
  test("is online when it serves, and not before", async () => {
    const starting = start("waits-for-file.mjs");
    const before = await pm2.processWhen(({ pid }) => pid > 0);
    await writeFile(join(folder, "go"), "");
    const { code } = await starting;
    const after = await pm2.process();

    const { socket } = await connectClient(url);

    expect(before.pm2_env.status).toBe("launching");
    expect([code, after?.pm2_env.status]).toEqual([0, "online"]);
    socket.close();
  });

  test("shows its numbers in `pm2 show`, and its status on `pm2 trigger`", async () => {
    await start("echo-app.mjs");
    const { socket } = await connectClient(url);
    const { pm2_env } = await pm2.processWhen(({ pm2_env }) => pm2_env.axm_monitor.Connections?.value === 1);

    const [show, trigger] = await Promise.all([
      pm2.run(["show", "allcores"]),
      pm2.run(["trigger", "allcores", "status"]),
    ]);

    expect(pm2_env.axm_monitor).toMatchObject({
      Workers: { value: "2/2" },
      "Loop lag": { value: expect.any(Number), unit: "ms" },
      "Pool queue": { value: 0 },
    });
    expect(show.stdout).toMatch(/Connections +\S +1 /);
    expect(trigger.code).toBe(0);
    expect(trigger.stdout).toContain(url);
    socket.close();
  });

  test("reloads on `pm2 trigger`: every worker is new, and a client comes over by itself", async () => {
    const out_file = join(folder, "out.log");
    const error_file = join(folder, "error.log");
    env.ALLCORES_RELOAD_PROBATION_MS = "100";
    await start("echo-app.mjs", { out_file, error_file, merge_logs: true });
    const { socket, welcome } = await connectClient<{ pid: number }>(url, { reconnection: true });
    const moved = nextEvent<{ pid: number }>(socket, "welcome");
    const before = await pm2.process();

    const trigger = await pm2.run(["trigger", "allcores", "reload"]);
    const { pid } = await moved;
    await until(
      "the log says so",
      async () => (await readFile(error_file, "utf8")).includes("the box is reloaded"),
      60_000,
    );
    const after = await pm2.process();

    expect(trigger.code).toBe(0);
    expect(trigger.stdout).toContain("The reload has begun.");
    expect(pid).not.toBe(welcome.pid);
    expect([after?.pid, after?.pm2_env.restart_time]).toEqual([before?.pid, 0]);
    socket.close();
  });

  test("drains on `pm2 stop`: clients are moved away, and the exit is clean", async () => {
    await start("echo-app.mjs");
    const { socket } = await connectClient(url);
    const disconnected = nextEvent<string>(socket, "disconnect");

    await pm2.run(["stop", "allcores"]);
    const [reason, found] = await Promise.all([disconnected, pm2.process()]);

    expect(reason).toBe("transport close");
    expect(found?.pm2_env).toMatchObject({ status: "stopped", exit_code: 0 });
  });

  test("an app that throws at boot is tried again, but not for ever", async () => {
    env.WEB_CONCURRENCY = "1";
    await start("throws-at-boot.mjs", { max_restarts: 2 });
    const { pm2_env } = await pm2.processWhen(({ pm2_env }) => pm2_env.status === "errored");

    expect(pm2_env).toMatchObject({ exit_code: 70, restart_time: 1 });
  });

  test("an option that cannot stand stops it at once, with no second try", async () => {
    env.WEB_CONCURRENCY = "many";
    await start("echo-app.mjs");
    const { pm2_env } = await pm2.processWhen(({ pid }) => pid === 0);

    expect(pm2_env).toMatchObject({ status: "stopped", exit_code: 78, restart_time: 0 });
  });

  test("in PM2's cluster mode it stops with advice in the log", async () => {
    const error_file = join(folder, "error.log");

    await start("echo-app.mjs", { exec_mode: "cluster", error_file, merge_logs: true });
    const { pm2_env } = await pm2.processWhen(({ pid }) => pid === 0);

    expect(pm2_env).toMatchObject({ status: "stopped", exit_code: 78, restart_time: 0 });
    expect(await readFile(error_file, "utf8")).toContain('set `exec_mode: "fork"`');
  });

  test.each([
    ["ALLCORES_AUTH_JWT_SECRET", "x".repeat(32)],
    ["REDIS_URL", "redis://:pa55word@127.0.0.1:6379"],
  ])("is not started with %s in the environment, which PM2 would write down", async (name, value) => {
    env[name] = value;

    const { code, stdout, stderr } = await start("echo-app.mjs");

    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain(`set ${name}_FILE instead`);
    expect(await pm2.process()).toBeUndefined();
  });
});
