// The admin listener of a real box: what /metrics, /readyz and /api/status tell while workers die, hang, boot and drain.

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket } from "socket.io-client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BoxStatus, WorkerStatus } from "../../src/primary/status.ts";
import { startBox, type TestBox } from "../helpers/box.ts";
import { connectClient } from "../helpers/clients.ts";
import { describeWith } from "../helpers/requirements.ts";
import { until } from "../helpers/until.ts";

const SCRAPE_DEADLINE_MS = 5000;

async function scrape(box: TestBox): Promise<string> {
  const response = await fetch(`${box.adminUrl}/metrics`, { signal: AbortSignal.timeout(SCRAPE_DEADLINE_MS) });
  expect(response.status).toBe(200);
  return response.text();
}

/** The sum of a metric over those of its series that have all these labels. */
function total(text: string, name: string, labels: Record<string, string> = {}): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

/** Asks for the status until it is as wanted. */
async function statusWhen(box: TestBox, isWanted: (status: BoxStatus) => boolean): Promise<BoxStatus> {
  let status = await box.status();
  await until("the status is as wanted", async () => {
    status = await box.status();
    return isWanted(status);
  });
  return status;
}

async function workerOf(box: TestBox, slot: number): Promise<WorkerStatus & { pid: number }> {
  const { workers } = await statusWhen(box, ({ workers }) => workers[slot]?.state === "ready");
  const worker = workers[slot];
  if (worker?.pid === undefined || worker.pid === null) throw new Error(`slot ${slot} is empty`);
  return { ...worker, pid: worker.pid };
}

describe("the metrics of a box", () => {
  let box: TestBox;
  let clients: Socket[] = [];

  beforeAll(async () => {
    box = await startBox({ app: "echo-app.mjs", workers: 2 });
  });

  afterEach(() => {
    for (const client of clients) client.disconnect();
    clients = [];
  });

  afterAll(() => box.stop());

  /** Connects clients one after the other, so that both workers get some, and has each echo once. */
  async function echoFrom(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const { socket } = await connectClient(box.url);
      clients.push(socket);
      await socket.emitWithAck("echo", "hello");
    }
  }

  test("count the connections and messages of all workers", async () => {
    const before = await scrape(box);

    await echoFrom(4);
    const after = await scrape(box);

    const grown = (name: string) => total(after, name) - total(before, name);
    expect(total(after, "allcores_connections", { slot: "0", transport: "websocket" })).toBeGreaterThan(0);
    expect(total(after, "allcores_connections", { slot: "1", transport: "websocket" })).toBeGreaterThan(0);
    expect(grown("allcores_connects_total")).toBe(4);
    // CONNECT and EVENT from each client; CONNECT, welcome and ACK to each.
    expect(grown("allcores_messages_received_total")).toBe(8);
    expect(grown("allcores_messages_sent_total")).toBe(12);
    expect(grown("allcores_router_assigned_total")).toBe(4);
    for (const role of ["primary", "socket-worker"]) {
      expect(total(after, "allcores_process_resident_memory_bytes", { role })).toBeGreaterThan(0);
    }
  });

  test("never go down when a worker is killed, and count its restart", async () => {
    await echoFrom(4);
    const before = await scrape(box);
    const victim = await workerOf(box, 0);

    process.kill(victim.pid, "SIGKILL");
    await statusWhen(box, ({ workers }) => workers[0]?.state === "ready" && workers[0].pid !== victim.pid);
    const after = await scrape(box);

    for (const name of ["connects", "messages_received", "messages_sent", "received_bytes", "sent_bytes"]) {
      const metric = `allcores_${name}_total`;
      expect(total(after, metric)).toBeGreaterThanOrEqual(total(before, metric));
    }
    const lost = { slot: "0", reason: "worker_gone" };
    expect(total(after, "allcores_disconnects_total", lost)).toBe(total(before, "allcores_connections", { slot: "0" }));
    const restarts = { slot: "0", reason: "killed" };
    expect(total(after, "allcores_worker_restarts_total", restarts)).toBe(
      total(before, "allcores_worker_restarts_total", restarts) + 1,
    );
    expect(total(after, "allcores_worker_state", { slot: "0", state: "ready" })).toBe(1);
  });

  test("are there while a worker hangs, with its last numbers", async () => {
    await echoFrom(2);
    const before = await scrape(box);
    const hung = await workerOf(box, 1);

    process.kill(hung.pid, "SIGSTOP");
    const texts = [await scrape(box), await scrape(box)];
    process.kill(hung.pid, "SIGCONT");

    const received = { slot: "1" };
    for (const text of texts) {
      expect(total(text, "allcores_messages_received_total", received)).toBe(
        total(before, "allcores_messages_received_total", received),
      );
      expect(total(text, "allcores_metrics_age_seconds", { slot: "1" })).toBeGreaterThan(
        total(text, "allcores_metrics_age_seconds", { slot: "0" }),
      );
    }
  });

  test("grow in the status too, which rates are made of", async () => {
    const before = await box.status();

    await echoFrom(2);
    await scrape(box);
    const after = await box.status();

    expect(after.traffic.messagesIn - before.traffic.messagesIn).toBeGreaterThanOrEqual(4);
    expect(after.traffic.connects).toBeGreaterThan(before.traffic.connects);
  });

  describeWith("promtool", "as Prometheus' own linter reads them", () => {
    test("have nothing to complain about", async () => {
      const input = await scrape(box);

      const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input, encoding: "utf8" });

      expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: "" });
    });
  });
});

describe("the metrics of an app with tasks", () => {
  let box: TestBox;

  beforeAll(async () => {
    box = await startBox({ app: "counts-and-computes.mjs", workers: 2 });
  });

  afterAll(() => box.stop());

  test("add up its own numbers over the workers, and show the pool and the cpu process", async () => {
    for (let i = 0; i < 4; i++) {
      const { socket } = await connectClient(box.url);
      await socket.emitWithAck("job", "payload");
      socket.disconnect();
    }
    // The cpu process reports its totals every second.
    let text = "";
    await until("the tasks are counted", async () => {
      text = await scrape(box);
      return total(text, "allcores_pool_tasks_total") >= 4;
    });

    expect(total(text, "app_jobs_total")).toBe(4);
    expect(total(text, "allcores_connections")).toBeLessThan(1_000_000);
    expect(total(text, "allcores_pool_tasks_total", { outcome: "done" })).toBe(4);
    expect(total(text, "allcores_pool_run_seconds_count")).toBe(4);
    expect(total(text, "allcores_process_resident_memory_bytes", { role: "cpu" })).toBeGreaterThan(0);
  });
});

describe("the errors of a box", () => {
  let box: TestBox;

  beforeAll(async () => {
    box = await startBox({ app: "counts-and-computes.mjs", workers: 1 });
  });

  afterAll(() => box.stop());

  test("count what the app's handlers throw, by where they did", async () => {
    const { socket } = await connectClient(box.url);

    await socket.emitWithAck("fail");
    socket.disconnect();
    const { status } = await fetch(`${box.url}/page`);
    const text = await scrape(box);
    const { traffic } = await box.status();

    expect(status).toBe(500);
    expect(total(text, "allcores_errors_total", { code: "ALLCORES_ERR_HANDLER", stage: "handler" })).toBe(1);
    expect(total(text, "allcores_errors_total", { code: "other", stage: "http" })).toBe(1);
    expect(total(text, "allcores_refusals_total")).toBe(0);
    expect(traffic.errors).toBe(2);
  });
});

describe("the readiness of a box", () => {
  let folder: string;
  let starting: Promise<TestBox>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "allcores-ready-"));
  });

  afterEach(async () => {
    await (await starting).stop();
    await rm(folder, { recursive: true });
  });

  test("is 503 while it boots, 200 while it runs, and 503 again while it drains", async () => {
    const startFile = join(folder, "start");
    const adminUrl = `http://127.0.0.1:${await freePort()}`;
    const flags = ["--admin-port", new URL(adminUrl).port];

    starting = startBox({ app: "starts-when-told.mjs", workers: 1, flags, env: { START_FILE: startFile } });
    const booting = await readinessWhen(adminUrl, () => true);
    await writeFile(startFile, "");
    const box = await starting;
    const running = await readiness(adminUrl);
    // A worker that cannot answer keeps the box draining for as long as it takes to look.
    const worker = await workerOf(box, 0);
    process.kill(worker.pid, "SIGSTOP");
    box.child.kill("SIGTERM");
    const draining = await readinessWhen(adminUrl, ({ state }) => state === "draining");
    process.kill(worker.pid, "SIGCONT");
    const exitCode = await box.exited;

    expect(booting).toMatchObject({ code: 503, ready: false, state: "starting", reason: "The box is starting." });
    expect(running).toMatchObject({ code: 200, ready: true, state: "running", workers: { ready: 1, total: 1 } });
    expect(draining).toMatchObject({ code: 503, ready: false, reason: "The box is draining." });
    expect(exitCode).toBe(0);
  });
});

interface ReadinessAnswer {
  readonly code: number;
  readonly state: string;
}

/** `undefined` while the listener is not up. */
async function readiness(adminUrl: string): Promise<ReadinessAnswer | undefined> {
  try {
    const response = await fetch(`${adminUrl}/readyz`);
    return { ...((await response.json()) as { state: string }), code: response.status };
  } catch (error) {
    const { cause } = error as { cause?: NodeJS.ErrnoException };
    if (cause?.code !== "ECONNREFUSED") throw error;
    return undefined;
  }
}

async function readinessWhen(adminUrl: string, isWanted: (answer: ReadinessAnswer) => boolean) {
  let answer: ReadinessAnswer | undefined;
  await until("the readiness is as wanted", async () => {
    answer = await readiness(adminUrl);
    return answer !== undefined && isWanted(answer);
  });
  return answer;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
