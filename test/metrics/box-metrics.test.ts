import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Counter, Gauge } from "prom-client";
import { Server } from "socket.io";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BusServer } from "../../src/bus/bus-server.ts";
import { connectBus } from "../../src/bus/connect.ts";
import type { BusConnection } from "../../src/bus/connection.ts";
import type { BusMessage } from "../../src/bus/messages.ts";
import { Peers } from "../../src/bus/peers.ts";
import { AllcoresError } from "../../src/errors.ts";
import { createLogger } from "../../src/lib/logger.ts";
import type { BoxFigures } from "../../src/metrics/box-figures.ts";
import { BoxMetrics } from "../../src/metrics/box-metrics.ts";
import { MetricsReporter } from "../../src/metrics/metrics-reporter.ts";
import { ProcessMetrics } from "../../src/metrics/process-metrics.ts";
import { METRIC_TABLE, OWN_PREFIX } from "../../src/metrics/table.ts";
import { TaskStats } from "../../src/metrics/task-stats.ts";
import { WorkerMetrics } from "../../src/metrics/worker-metrics.ts";
import { describeWith } from "../helpers/requirements.ts";

const tasks = new TaskStats();
tasks.count("refused");
tasks.recordWait(20);
tasks.recordRun(300);

const FIGURES: BoxFigures = {
  state: "running",
  startedAtMs: 1_700_000_000_000,
  workers: [
    { slot: 0, state: "ready" },
    { slot: 1, state: "gone" },
  ],
  routerWaiting: 2,
  admission: { counted: 17, addresses: 18 },
  pool: { queued: 4, running: 2, threads: 2, restarts: 1, totals: tasks.totals() },
  presence: { members: 5, rooms: 3 },
  redis: { state: "down", published: 7, received: 8, dropped: 9, queuedBytes: 10, reconnects: 1 },
  hub: { sequence: 11, logBytes: 12, logMessages: 13, detached: 14, rooms: 15, openQuestions: 16 },
};

const log = createLogger({ level: "silent" });

interface Worker {
  readonly bus: BusConnection;
  readonly io: Server;
  readonly metrics: WorkerMetrics;
  /** As SIGSTOP does: it stays connected and answers nothing. */
  isHung: boolean;
}

let folder: string;
let server: BusServer;
let peers: Peers;
let box: BoxMetrics;
let open: { close(): unknown }[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "allcores-metrics-"));
  peers = new Peers();
  box = new BoxMetrics({ peers, figures: () => FIGURES });
  open = [];
  server = new BusServer({
    path: join(folder, "bus.sock"),
    secret: "s3cret",
    onPeer: (connection, hello) => peers.add(connection, hello),
  });
  await server.start();
});

afterEach(async () => {
  for (const part of open) await part.close();
  box.close();
  await server.close();
  await rm(folder, { recursive: true });
});

async function callIn(role: "socket-worker" | "cpu", slot: number, onMessage: (message: BusMessage) => void) {
  const hello = { secret: "s3cret", role, slot, incarnation: 1 };
  const bus = await connectBus({ path: join(folder, "bus.sock"), hello, onMessage });
  open.push({ close: () => bus.destroy() });
  return bus;
}

async function startWorker(slot: number): Promise<Worker> {
  const reported = once(peers, "message");
  const bus = await callIn("socket-worker", slot, (message) => {
    if (!worker.isHung) worker.metrics.handle(message);
  });
  const io = new Server();
  io.attach(0);
  // Reports only when asked: the tests decide when.
  const metrics = new WorkerMetrics({ io, bus, slot, log, intervalMs: 60_000 });
  const worker: Worker = { bus, io, metrics, isHung: false };
  open.push({ close: () => io.close() });
  await reported;
  return worker;
}

async function kill(worker: Worker): Promise<void> {
  const left = once(peers, "leave");
  worker.bus.destroy();
  await left;
}

function read(text: string, series: string): number | undefined {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
}

describe("BoxMetrics", () => {
  test("shows the fresh numbers of every worker under its slot", async () => {
    const [first, second] = [await startWorker(0), await startWorker(1)];
    first.metrics.onRefusal("origin");
    second.metrics.onRefusal("origin");
    second.metrics.onError(new AllcoresError("ALLCORES_ERR_HANDLER", "broken"), { stage: "event" });
    second.metrics.onError(new Error("never heard of"), { stage: "event" });

    const text = await box.text();

    expect(read(text, 'allcores_connections{slot="0",transport="websocket"}')).toBe(0);
    expect(read(text, 'allcores_process_heap_used_bytes{role="socket-worker",slot="1"}')).toBeGreaterThan(0);
    expect(read(text, 'allcores_refusals_total{reason="origin"}')).toBe(2);
    expect(read(text, 'allcores_errors_total{code="ALLCORES_ERR_HANDLER",stage="event"}')).toBe(1);
    expect(read(text, 'allcores_errors_total{code="other",stage="event"}')).toBe(1);
  });

  test("shows what the primary counts and what its parts say", async () => {
    box.counters.routerAccepted();
    box.counters.routerAssigned(1);
    box.counters.routerRefused(431);
    box.counters.admissionRefused("box_full");
    box.counters.workerRestart(1, "killed");
    box.counters.onError(new AllcoresError("ALLCORES_ERR_REDIS", "down"), { stage: "fanout" });

    const text = await box.text();

    expect(read(text, "allcores_router_accepted_total")).toBe(1);
    expect(read(text, 'allcores_router_assigned_total{slot="1"}')).toBe(1);
    expect(read(text, 'allcores_router_refused_total{status="431"}')).toBe(1);
    expect(read(text, 'allcores_worker_restarts_total{slot="1",reason="killed"}')).toBe(1);
    expect(read(text, "allcores_pool_restarts_total")).toBe(1);
    expect(read(text, "allcores_pool_queued")).toBe(4);
    expect(read(text, 'allcores_pool_tasks_total{outcome="refused"}')).toBe(1);
    expect(read(text, 'allcores_pool_wait_seconds_bucket{le="0.01"}')).toBe(0);
    expect(read(text, 'allcores_pool_wait_seconds_bucket{le="0.025"}')).toBe(1);
    expect(read(text, "allcores_pool_run_seconds_sum")).toBe(0.3);
    expect(read(text, 'allcores_errors_total{code="ALLCORES_ERR_REDIS",stage="fanout"}')).toBe(1);
    expect(read(text, 'allcores_worker_state{slot="1",state="gone"}')).toBe(1);
    expect(read(text, 'allcores_worker_state{slot="1",state="ready"}')).toBe(0);
    expect(read(text, 'allcores_redis_state{state="down"}')).toBe(1);
    expect(read(text, "allcores_redis_dropped_total")).toBe(9);
    expect(read(text, "allcores_router_waiting")).toBe(2);
    expect(read(text, 'allcores_admission_refused_total{reason="box_full"}')).toBe(1);
    expect(read(text, "allcores_admission_connections")).toBe(17);
    expect(read(text, "allcores_admission_addresses")).toBe(18);
  });

  test("keeps the counters of a killed worker as it reported them last, and adds its successor's", async () => {
    const worker = await startWorker(0);
    for (let i = 0; i < 3; i++) worker.metrics.onRefusal("rate");
    await box.text();

    await kill(worker);
    const afterKill = await box.text();
    const successor = await startWorker(0);
    successor.metrics.onRefusal("rate");
    const afterRestart = await box.text();

    expect(read(afterKill, 'allcores_refusals_total{reason="rate"}')).toBe(3);
    expect(read(afterKill, 'allcores_process_heap_used_bytes{role="socket-worker",slot="0"}')).toBeUndefined();
    expect(read(afterRestart, 'allcores_refusals_total{reason="rate"}')).toBe(4);
  });

  test("keeps what a worker counted up to its planned end", async () => {
    const worker = await startWorker(0);
    worker.metrics.onRefusal("rate");

    const left = once(peers, "leave");
    await worker.metrics.close();
    worker.bus.end();
    await left;

    expect(read(await box.text(), 'allcores_refusals_total{reason="rate"}')).toBe(1);
  });

  test("shows a hung worker with its last numbers and their age, and waits for it once", async () => {
    const [hung, healthy] = [await startWorker(0), await startWorker(1)];
    hung.metrics.onRefusal("rate");
    await box.text();
    hung.isHung = true;
    let asked = 0;
    hung.bus.on("message", ({ type }) => {
      if (type === "metricsRequest") asked++;
    });

    healthy.metrics.onRefusal("rate");
    const text = await box.text();
    await box.text();

    expect(read(text, 'allcores_refusals_total{reason="rate"}')).toBe(2);
    expect(read(text, 'allcores_metrics_age_seconds{role="socket-worker",slot="0"}')).toBeGreaterThan(
      read(text, 'allcores_metrics_age_seconds{role="socket-worker",slot="1"}') ?? Number.NaN,
    );
    expect(asked).toBe(1);
  });

  test("asks a worker again once it came back from a hang", async () => {
    const worker = await startWorker(0);
    worker.isHung = true;
    await box.text();
    worker.isHung = false;
    const reported = once(peers, "message");
    worker.metrics.handle({ type: "metricsRequest", round: 1 });
    await reported;

    worker.metrics.onRefusal("rate");
    const text = await box.text();

    expect(read(text, 'allcores_refusals_total{reason="rate"}')).toBe(1);
  });

  test("asks the workers once for any number of scrapes at the same time", async () => {
    const worker = await startWorker(0);
    let asked = 0;
    worker.bus.on("message", ({ type }) => {
      if (type === "metricsRequest") asked++;
    });

    const texts = await Promise.all(Array.from({ length: 20 }, () => box.text()));

    expect(texts.every((text) => text.includes('role="socket-worker"'))).toBe(true);
    expect(asked).toBe(1);
  });

  test("adds up the app's own metrics over the workers", async () => {
    const workers = [await startWorker(0), await startWorker(1)];
    for (const { metrics } of workers) {
      new Counter({ name: "app_jobs_total", help: "Jobs.", registers: [metrics.registry] }).inc(2);
    }

    const text = await box.text();

    expect(read(text, "app_jobs_total")).toBe(4);
  });

  test.each([
    ["has a name of allcores' own", "allcores_router_accepted_total", () => {}],
    ["throws when it is collected", "app_users", () => Promise.reject(new Error("no database"))],
  ])("does without an app's metric that %s", async (_what, name, collect) => {
    const { metrics } = await startWorker(0);
    new Gauge({ name, help: "Mine.", registers: [metrics.registry], collect }).set(42);

    const text = await box.text();

    expect(read(text, "allcores_router_accepted_total")).toBe(0);
    expect(text).not.toContain("Mine.");
    expect(read(text, 'allcores_connections{slot="0",transport="polling"}')).toBe(0);
  });

  test("shows every process that reports, the cpu process for one", async () => {
    const figures = new ProcessMetrics({ role: "cpu" });
    const reported = once(peers, "message");
    const bus = await callIn("cpu", 0, (message) => reporter.handle(message));
    const reporter = new MetricsReporter({ bus, take: () => figures.families() });
    await reported;

    const text = await box.text();

    for (const role of ["cpu", "primary"]) {
      expect(read(text, `allcores_process_resident_memory_bytes{role="${role}"}`)).toBeGreaterThan(0);
    }
    await reporter.stop();
    figures.stop();
  });

  test("tells totals that never go down", async () => {
    const worker = await startWorker(0);
    worker.metrics.onError(new Error("broken"), { stage: "event" });
    box.counters.onError(new Error("broken"), { stage: "fanout" });
    await box.text();

    await kill(worker);

    expect(box.traffic()).toMatchObject({ errors: 2, messagesIn: 0, connects: 0 });
  });
});

describe("the metrics page", () => {
  test("has every metric of the table and none besides", async () => {
    const text = await fullPage();

    const shown = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? "");
    expect(shown.filter((name) => name.startsWith(OWN_PREFIX)).sort()).toEqual(Object.keys(METRIC_TABLE).sort());
  });

  describeWith("promtool", "as Prometheus' own linter reads it", () => {
    test("has nothing to complain about", async () => {
      const input = await fullPage();

      const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input, encoding: "utf8" });

      expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: "" });
    });
  });
});

/** A page with at least one value of almost every metric. */
async function fullPage(): Promise<string> {
  const { metrics } = await startWorker(0);
  metrics.onRefusal("origin");
  metrics.onError(new Error("x"), { stage: "event" });
  box.counters.routerAssigned(0);
  box.counters.routerRefused(400);
  box.counters.admissionRefused("address_rate");
  box.counters.workerRestart(0, "exited");
  return box.text();
}
