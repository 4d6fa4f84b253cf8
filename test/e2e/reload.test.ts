// A reload of a real box: nobody loses anything, and new code that does not work changes nothing.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Socket } from "socket.io-client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CLI, startBox, type TestBox } from "../helpers/box.ts";
import { type CliResult, runCli } from "../helpers/cli.ts";
import { connectClient, nextEvent } from "../helpers/clients.ts";
import { freePort } from "../helpers/free-port.ts";
import { logged } from "../helpers/logged.ts";
import { until } from "../helpers/until.ts";
import { createVersionedApp, type VersionedApp } from "../helpers/versioned-app.ts";

interface Welcome {
  readonly version: string;
  readonly pid: number;
}

const WORKERS = 2;

let app: VersionedApp;
let box: TestBox;
let runtimeDir: string;
let adminPort: number;
let clients: Socket[];

beforeEach(async () => {
  app = await createVersionedApp();
  runtimeDir = await mkdtemp(join(tmpdir(), "allcores-reload-"));
  adminPort = await freePort();
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.disconnect();
  await box.stop();
  await app.remove();
  await rm(runtimeDir, { recursive: true });
});

async function start(flags: readonly string[] = []): Promise<void> {
  const allFlags = ["--admin-port", String(adminPort), "--reload-probation-ms", "300", ...flags];
  box = await startBox({ app: app.path, workers: WORKERS, flags: allFlags, env: { RUNTIME_DIRECTORY: runtimeDir } });
}

function reload(...args: readonly string[]): Promise<CliResult> {
  return runCli(["reload", "--admin-port", String(adminPort), ...args], { RUNTIME_DIRECTORY: runtimeDir });
}

async function connect(): Promise<{ socket: Socket; welcome: Welcome }> {
  const client = await connectClient<Welcome>(box.url, { reconnection: true });
  clients.push(client.socket);
  return client;
}

async function pids(): Promise<(number | null)[]> {
  return (await box.status()).workers.map(({ pid }) => pid);
}

describe("allcores reload", () => {
  test("replaces every worker, and clients come over by themselves", async () => {
    await start();
    const { socket, welcome } = await connect();
    const before = await pids();
    await app.deploy("new");
    const versions: string[] = [];
    socket.on("welcome", ({ version }: Welcome) => versions.push(version));

    const { code, out, err } = await reload();
    const after = await pids();

    await until("the client has come over", () => versions.at(-1) === "new");
    expect(welcome.version).toBe("old");
    expect(out).toMatch(/^The new code serves: 2 workers replaced in \d+\.\d s\.\n$/);
    expect(err.match(/slots? .*$/gm)).toEqual([
      "slot 0: the new code starts",
      "slot 1: the new code starts",
      "slots 0, 1: the new code is on probation",
      "slot 0: clients move to the new code",
      "slot 1: clients move to the new code",
    ]);
    expect(code).toBe(0);
    expect(after.some((pid) => before.includes(pid))).toBe(false);
  });

  test("moves each client once, to new code", async () => {
    await start();
    const moves = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const versions: string[] = [];
        const { socket } = await connect();
        socket.on("welcome", ({ version }: Welcome) => versions.push(version));
        return versions;
      }),
    );
    await app.deploy("new");

    const { code } = await reload();

    await until("all have come over", () => moves.every((versions) => versions.length > 0));
    expect(code).toBe(0);
    expect(moves).toEqual(moves.map(() => ["new"]));
  });

  test("refuses no request and no connection meanwhile", async () => {
    await start();
    let isOver = false;
    const failures: unknown[] = [];
    const ask = async (): Promise<void> => {
      while (!isOver) {
        const response = await fetch(box.url, { headers: { connection: "close" } }).catch((error) => error);
        if (response.status !== 200) failures.push(response);
      }
    };
    const asking = ask();

    const { code } = await reload();
    isOver = true;
    await asking;

    expect(code).toBe(0);
    expect(failures).toEqual([]);
  });

  test("lets a handler that is at work answer before its client is moved", async () => {
    await start();
    const { socket } = await connect();
    const answer = socket.emitWithAck("slow", 3000);

    const { code } = await reload();

    expect(await answer).toBe("old");
    expect(code).toBe(0);
  });

  test("draws one line with a bar on a terminal", async () => {
    await start();
    const command = `'${process.execPath}' '${CLI}' reload --admin-port ${adminPort}`;

    const terminal = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
      env: { ...process.env, RUNTIME_DIRECTORY: runtimeDir },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [shown, [code]] = await Promise.all([text(terminal.stdout), once(terminal, "exit")]);

    const frames = shown.split("\r\u001b[2K");
    expect(frames.slice(1, -1)).toEqual([
      `${"░".repeat(24)} 0/2 slot 0: the new code starts`,
      `${"█".repeat(3)}${"░".repeat(21)} 0/2 slot 1: the new code starts`,
      `${"█".repeat(7)}${"░".repeat(17)} 0/2 slots 0, 1: the new code is on probation`,
      `${"█".repeat(9)}${"░".repeat(15)} 0/2 slot 0: clients move to the new code`,
      `${"█".repeat(16)}${"░".repeat(8)} 1/2 slot 1: clients move to the new code`,
    ]);
    expect(frames.at(-1)).toMatch(/^The new code serves: 2 workers replaced in \d+\.\d s\.\r\n$/);
    expect(code).toBe(0);
  });

  test("is refused while another one runs", async () => {
    await start(["--reload-probation-ms", "3000"]);
    const first = reload();
    await logged(box, '"step":"starting"');

    const second = await reload("--json");

    expect(second.code).toBe(1);
    expect(JSON.parse(second.out)).toMatchObject({ ok: false, error: { code: "ALLCORES_ERR_RELOAD_REFUSED" } });
    expect((await first).code).toBe(0);
  });

  test("SIGHUP begins one too", async () => {
    await start();
    const before = await pids();

    box.child.kill("SIGHUP");
    await logged(box, "the box is reloaded");

    expect((await pids()).some((pid) => before.includes(pid))).toBe(false);
  });
});

describe("new code that does not work", () => {
  const broken = {
    "throws at boot": { atBoot: 'throw new Error("no such table");', says: "did not start: no such table" },
    "is never ready": { atBoot: "return new Promise(() => {});", says: "it was not ready after 8000 ms" },
    "crashes in its probation": {
      atBoot: 'setTimeout(() => { throw new Error("too late"); }, 100);',
      says: "ended in its probation: uncaught Error: too late",
    },
  };

  test.each(Object.entries(broken))("that %s changes nothing", async (_name, { atBoot, says }) => {
    await start(["--supervisor-start-timeout-ms", "8000", "--reload-probation-ms", "1500"]);
    const { socket } = await connect();
    const before = await pids();
    await app.deploy("new", atBoot);

    const { code, err } = await reload();

    expect(code).toBe(1);
    expect(err).toContain(says);
    expect(err).toContain("Slots 0 and 1 have the old code still.");
    await until("the old workers serve", async () =>
      (await box.status()).workers.every(({ state }) => state === "ready"),
    );
    expect(await pids()).toEqual(before);
    expect((await connect()).welcome.version).toBe("old");
    expect(socket.connected).toBe(true);
  });

  test("in one slot only changes nothing in the others", async () => {
    await start();
    const before = await pids();
    await app.deploy("new", 'if (box.slot === 1) throw new Error("not here");');

    const { code, err } = await reload();

    expect(code).toBe(1);
    expect(err).toContain("Slots 0 and 1 have the old code still.");
    expect(await pids()).toEqual(before);
  });

  test("leaves those that were through with the new code, one slot at a time, and says so", async () => {
    await start(["--reload-surge", "1"]);
    const before = await pids();
    await app.deploy("new", 'if (box.slot === 1) throw new Error("not here");');

    const { code, err } = await reload();

    const after = await pids();
    expect(code).toBe(1);
    expect(err).toContain("Slot 1 has the old code still. Slot 0 has the new code already.");
    expect([after[0] === before[0], after[1] === before[1]]).toEqual([false, true]);
  });
});

describe("a worker over its memory limit", () => {
  test("is replaced as by a reload: its client is moved, not dropped by a kill", async () => {
    await start(["--supervisor-max-worker-memory-mb", "300"]);
    const { socket, welcome } = await connect();
    const disconnected = nextEvent<string>(socket, "disconnect");

    socket.emit("grow", 300 * 1_048_576);
    const reason = await disconnected;
    await until("it is gone", async () => !(await pids()).includes(welcome.pid));
    const metrics = await (await fetch(`${box.adminUrl}/metrics`)).text();

    expect(reason).toBe("transport close");
    expect(metrics).toMatch(/^allcores_worker_restarts_total\{slot="\d",reason="memory"\} 1$/m);
    expect(box.stderr()).not.toContain("worker is gone");
  });
});
