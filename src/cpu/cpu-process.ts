// The cpu process: one queue and one set of threads for the whole box.
// Socket workers call it directly at its own unix socket; the primary hears over the bus how it is.
// Like a socket worker it ignores the box's signals, and it never outlives the primary.

import { BusServer } from "../bus/bus-server.ts";
import { connectBus } from "../bus/connect.ts";
import type { BusConnection } from "../bus/connection.ts";
import { type CpuInit, isCpuInit, taskBusLimits } from "../bus/cpu-init.ts";
import { type BusMessage, toWireError } from "../bus/messages.ts";
import { endWithParent } from "../lib/parent-watch.ts";
import { residentMemory } from "../lib/resident-memory.ts";
import { MetricsReporter } from "../metrics/metrics-reporter.ts";
import { ProcessMetrics } from "../metrics/process-metrics.ts";
import { TaskStats } from "../metrics/task-stats.ts";
import { Caller } from "./caller.ts";
import { ThreadPool } from "./pool.ts";
import { describeThrown } from "./task-errors.ts";
import { TaskQueue } from "./task-queue.ts";

const REPORT_INTERVAL_MS = 1000;

endWithParent();
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"] as const) process.on(signal, () => {});
process.title = "allcores: cpu";
process.once("disconnect", endWithPrimary);
process.on("message", onInit);

function onInit(message: unknown): void {
  if (!isCpuInit(message)) return;
  process.off("message", onInit);
  void run(message);
}

/** process.exit() waits for threads, and one may be deep in native code: nobody is left to be told about it. */
function endWithPrimary(): void {
  process.kill(process.pid, "SIGKILL");
}

async function run(init: CpuInit): Promise<void> {
  let drain: (() => Promise<void>) | undefined;
  let metrics: MetricsReporter | undefined;
  const primary = await connectBus({
    path: init.busPath,
    hello: { secret: init.busSecret, role: "cpu", slot: 0, incarnation: init.incarnation },
    onMessage: (message: BusMessage) => {
      if (message.type === "drain") void drain?.();
      metrics?.handle(message);
    },
  });
  primary.once("close", endWithPrimary);
  const figures = new ProcessMetrics({ role: "cpu" });
  metrics = new MetricsReporter({ bus: primary, take: () => figures.families() });

  try {
    drain = await serve(init, primary);
  } catch (error) {
    primary.send({ type: "startFailed", error: toWireError(error) });
    primary.end();
  }
}

/** Builds the parts and says ready. Returns what ends the process once its tasks are done. */
async function serve(init: CpuInit, primary: BusConnection): Promise<() => Promise<void>> {
  const { cpu } = init.options;
  const stats = new TaskStats();
  const pool = new ThreadPool({
    threads: cpu.threads,
    maxThreadMemoryMb: cpu.maxThreadMemoryMb,
    maxResultBytes: cpu.maxPayloadBytes,
    onError: (error) => primary.send({ type: "cpuError", error: describeThrown(error) }),
  });
  const queue = new TaskQueue({
    threads: cpu.threads,
    maxQueue: cpu.maxQueue,
    maxQueueBytes: cpu.maxQueueBytes,
    execute: (task, signal) => pool.run(task, signal),
    stats,
  });
  const callers = new Set<Caller>();
  let isDraining = false;
  const server = new BusServer({
    ...taskBusLimits(init.options),
    path: init.path,
    secret: init.secret,
    onPeer: (connection) => {
      const caller = new Caller({ connection, queue, takesTasks: () => !isDraining });
      callers.add(caller);
      connection.once("close", () => callers.delete(caller));
    },
  });
  await server.start();

  const report = (): void => {
    const { queued, running } = queue;
    const memoryBytes = residentMemory();
    primary.send({ type: "cpuReport", queued, running, memoryBytes, totals: stats.totals() });
  };
  setInterval(report, REPORT_INTERVAL_MS);
  primary.send({ type: "ready" });

  return async () => {
    isDraining = true;
    await Promise.all([...callers].map((caller) => caller.idle()));
    await Promise.all([...callers].map((caller) => caller.hangUp()));
    report();
    primary.off("close", endWithPrimary);
    primary.once("close", () => process.exit(0));
    primary.end();
  };
}
