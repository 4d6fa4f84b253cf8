// What must hold while processes of a real box are killed, stopped, hung and starved: 4 workers, 500 clients.
// Every client is a stock one that comes back by itself; after each blow all of them must be served again.

import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket } from "socket.io-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startBox, type TestBox } from "../helpers/box.ts";
import { connectClient, newClient, nextEvent } from "../helpers/clients.ts";
import { logged } from "../helpers/logged.ts";
import { isAlive } from "../helpers/process-state.ts";
import { until } from "../helpers/until.ts";

const WORKERS = 4;
const CLIENTS = 500;
const HANG_TIMEOUT_MS = 5000;
/** So that it is full before the machine is. */
const SMALL_HEAP = { NODE_OPTIONS: "--max-old-space-size=96" };

interface Welcome {
  readonly slot: number;
  readonly incarnation: number;
  readonly pid: number;
}

interface Client {
  readonly socket: Socket;
  /** The worker it is on, or was last. */
  home: Welcome;
  drops: number;
}

async function crowd(url: string, count: number): Promise<Client[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const { socket, welcome } = await connectClient<Welcome>(url, { reconnection: true });
      const client: Client = { socket, home: welcome, drops: 0 };
      socket.on("welcome", (home: Welcome) => {
        client.home = home;
      });
      socket.on("disconnect", () => {
        client.drops++;
      });
      return client;
    }),
  );
}

/** Every one of them has a question answered by a worker that lives. */
async function allAreServed(clients: readonly Client[]): Promise<void> {
  await until("every client is back", () => clients.every(({ socket }) => socket.connected));
  const answers = await Promise.all(clients.map(({ socket }) => socket.timeout(30_000).emitWithAck("echo", "here")));
  expect(answers.every((answer) => answer === "here")).toBe(true);
}

function dropsOf(clients: readonly Client[]): number {
  return clients.reduce((sum, { drops }) => sum + drops, 0);
}

async function restarts(box: TestBox, reason: string): Promise<number> {
  const text = await (await fetch(`${box.adminUrl}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line.startsWith("allcores_worker_restarts_total{"));
  const ours = lines.filter((line) => line.includes(`reason="${reason}"`));
  return ours.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

describe("a blow to one worker", () => {
  let folder: string;
  let box: TestBox;
  let clients: Client[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "allcores-chaos-"));
    const flags = ["--supervisor-hang-timeout-ms", String(HANG_TIMEOUT_MS), "--supervisor-stable-after-ms", "1"];
    const env = { ...SMALL_HEAP, THROW_AT_BOOT_FILE: join(folder, "throw") };
    box = await startBox({ app: "chaos-app.mjs", workers: WORKERS, flags, env });
    clients = await crowd(box.url, CLIENTS);
  });

  afterAll(async () => {
    for (const { socket } of clients) socket.disconnect();
    await box.stop();
    await rm(folder, { recursive: true });
  });

  afterEach(() => {
    expect(box.child.exitCode).toBe(null);
  });

  const blows: Record<string, { strike: (victim: Client) => void; reason: string }> = {
    SIGKILL: { strike: ({ home }) => process.kill(home.pid, "SIGKILL"), reason: "killed" },
    "SIGSTOP for longer than the hang timeout": {
      strike: ({ home }) => process.kill(home.pid, "SIGSTOP"),
      reason: "hung",
    },
    "an endless loop": { strike: ({ socket }) => socket.emit("loopForEver"), reason: "hung" },
    "heap exhaustion": { strike: ({ socket }) => socket.emit("eatHeap"), reason: "killed" },
    "an error that nobody catches": { strike: ({ socket }) => socket.emit("throwLater"), reason: "exited" },
  };

  test.each(Object.entries(blows))("%s: it is replaced, and only its own clients notice", async (_name, blow) => {
    const [victim] = clients as [Client];
    const { pid } = victim.home;
    const others = clients.filter(({ home }) => home.pid !== pid);
    const drops = dropsOf(others);
    const before = await restarts(box, blow.reason);

    blow.strike(victim);
    await until("the worker is gone", () => !isAlive(pid));
    await until("its clients are elsewhere", () => clients.every(({ home }) => home.pid !== pid));
    await allAreServed(clients);

    expect(dropsOf(others)).toBe(drops);
    expect(await restarts(box, blow.reason)).toBe(before + 1);
    await until("every slot is filled", async () =>
      (await box.status()).workers.every(({ state }) => state === "ready"),
    );
  });

  test("an exception in a handler costs nobody the connection", async () => {
    const [victim] = clients as [Client];
    const drops = dropsOf(clients);

    victim.socket.emit("throwInHandler");
    await allAreServed(clients);

    expect(dropsOf(clients)).toBe(drops);
  });

  test("an exception at boot after a reload: the old workers serve on, and no client notices", async () => {
    const pids = async () => (await box.status()).workers.map(({ pid }) => pid);
    const [before, drops] = [await pids(), dropsOf(clients)];
    await writeFile(join(folder, "throw"), "");

    box.child.kill("SIGHUP");
    await logged(box, "the box is not reloaded");
    await rm(join(folder, "throw"));
    await allAreServed(clients);

    expect(await pids()).toEqual(before);
    expect(dropsOf(clients)).toBe(drops);
  });
});

describe("a worker that is stopped for 30 seconds, which it may be", () => {
  let box: TestBox;
  let clients: Client[] = [];

  afterEach(async () => {
    for (const { socket } of clients) socket.disconnect();
    await box.stop();
  });

  test("goes on when it is continued, and no client drops; the others are served meanwhile", async () => {
    const patient = ["--supervisor-hang-timeout-ms", "600000", "--supervisor-stall-timeout-ms", "600000"];
    box = await startBox({ app: "chaos-app.mjs", workers: WORKERS, flags: patient });
    clients = await crowd(box.url, CLIENTS);
    const [victim] = clients as [Client];
    const { pid } = victim.home;

    process.kill(pid, "SIGSTOP");
    await until(
      "30 seconds are over",
      async () => (await box.status()).workers.some(({ silentMs }) => silentMs > 30_000),
      60_000,
    );
    await allAreServed(clients.filter(({ home }) => home.pid !== pid));
    process.kill(pid, "SIGCONT");
    await allAreServed(clients);

    expect(dropsOf(clients)).toBe(0);
    expect(victim.home.pid).toBe(pid);
  });
});

describe("the end of the box", () => {
  let box: TestBox;
  let clients: Client[] = [];

  afterEach(async () => {
    for (const { socket } of clients) socket.disconnect();
    await box.stop();
  });

  async function start(): Promise<number[]> {
    box = await startBox({ app: "chaos-app.mjs", workers: WORKERS, flags: ["--reload-probation-ms", "60000"] });
    clients = await crowd(box.url, CLIENTS);
    return (await box.status()).workers.map(({ pid }) => Number(pid));
  }

  test("SIGTERM during a reload ends the reload, moves every client and leaves no process", async () => {
    const pids = await start();
    const reasons = Promise.all(clients.map(({ socket }) => nextEvent<string>(socket, "disconnect")));
    box.child.kill("SIGHUP");
    await logged(box, '"step":"probation"');
    const successors = (await box.status()).workers.map(({ pid }) => Number(pid));

    box.child.kill("SIGTERM");
    const code = await box.exited;

    expect(code).toBe(0);
    expect(new Set(await reasons)).toEqual(new Set(["transport close"]));
    expect(new Set([...pids, ...successors]).size).toBe(2 * WORKERS);
    expect([...pids, ...successors].filter(isAlive)).toEqual([]);
  });

  test("a second SIGTERM ends it at once, and leaves no process", async () => {
    const pids = await start();
    const [client] = clients as [Client];
    client.socket.emit("slow", 600_000, () => {});
    await client.socket.emitWithAck("echo", "the slow one has begun");

    box.child.kill("SIGTERM");
    await logged(box, "the box drains");
    box.child.kill("SIGTERM");
    const code = await box.exited;

    expect(code).toBe(143);
    await until("every worker is gone", () => !pids.some(isAlive));
  });
});

test("out of file descriptors, connections are refused or wait; then the box accepts again", async () => {
  const box = await startBox({ app: "chaos-app.mjs", workers: 1, flags: ["--router-max-pending", "20000"] });
  const { pid = 0 } = box.child;
  execFileSync("prlimit", ["--pid", String(pid), "--nofile=60:60"]);
  const port = Number(new URL(box.url).port);
  const idle = Array.from({ length: 100 }, () => connect(port, "127.0.0.1").on("error", () => {}));

  await until("it is full", () => readdirSync(`/proc/${pid}/fd`).length >= 60);
  for (const socket of idle) socket.destroy();
  const late = newClient(box.url, { reconnection: true });
  await nextEvent(late, "welcome");

  expect(box.child.exitCode).toBe(null);
  late.disconnect();
  await box.stop();
});
