// The socket worker's process: asks for its init message, composes its parts, says ready, serves until told to drain.
// It ignores the box's signals (the primary alone tells it what to do) and never outlives the primary.

import { once } from "node:events";
import { connectBus } from "../bus/connect.ts";
import type { BusConnection } from "../bus/connection.ts";
import { type BusMessage, toWireError } from "../bus/messages.ts";
import { isWorkerInit, WORKER_INIT_REQUEST, type WorkerInit } from "../bus/worker-init.ts";
import { WriteTicks } from "../bus/write-timing.ts";
import { CpuClient } from "../cpu/client.ts";
import { settledWithin } from "../lib/deadline.ts";
import { createLogger, errorFields, type Logger } from "../lib/logger.ts";
import { endWithParent } from "../lib/parent-watch.ts";
import { guardServer } from "../limits/guard-server.ts";
import { guardedServerOptions } from "../limits/server-options.ts";
import { WorkerMetrics } from "../metrics/worker-metrics.ts";
import { PresenceClient } from "../presence/presence-client.ts";
import { loadApp } from "./app.ts";
import { chooseAdapter } from "./choose-adapter.ts";
import { ClientWork } from "./client-work.ts";
import type { Box } from "./context.ts";
import { drainWorker } from "./drain.ts";
import { createIoServer } from "./io-server.ts";
import { startLoadReport } from "./load-report.ts";
import { readPassports } from "./passports.ts";
import { Relay } from "./relay.ts";
import { watchAcks } from "./watch-acks.ts";

/** What a drain has on top for what this worker said last. */
const SETTLE_MS = 500;

type Handler = (message: BusMessage, body: Buffer) => void;

endWithParent();
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"] as const) process.on(signal, () => {});
process.once("disconnect", () => process.exit(0));
process.on("message", onInit);
process.send?.(WORKER_INIT_REQUEST);

function onInit(message: unknown): void {
  if (!isWorkerInit(message)) return;
  process.off("message", onInit);
  const { slot, incarnation, options } = message;
  const log = createLogger({ level: options.logLevel }, { slot, incarnation });
  let primary: BusConnection | undefined;
  process.on("uncaughtException", (error) => {
    log.error(errorFields(error), "an uncaught error ends this worker");
    primary?.send({ type: "crashed", error: { code: "ALLCORES_ERR_APP", message: `uncaught ${error}` } });
    // Written before this returns: a unix socket takes it at once.
    primary?.end();
    process.exit(1);
  });
  void run(message, log, (bus) => {
    primary = bus;
  });
}

async function run(init: WorkerInit, log: Logger, onBus: (bus: BusConnection) => void): Promise<void> {
  const { slot, incarnation, busPath: path, busSecret: secret, options } = init;
  // The parts come to life after the bus they speak over, so what arrives is passed on through this list.
  const handlers: Handler[] = [];
  const bus = await connectBus({
    path,
    // Half of the primary's: all that one worker says goes to one reader, and gathers there as well.
    timing: new WriteTicks(options.hub.flushIntervalMs / 2),
    hello: { secret, role: "socket-worker", slot, incarnation },
    onMessage: (message, body) => {
      for (const handle of handlers) handle(message, body);
    },
  });
  bus.once("close", () => process.exit(0));
  onBus(bus);

  try {
    await serve(init, bus, log, handlers);
  } catch (error) {
    log.error(errorFields(error), "this worker cannot start");
    bus.send({ type: "startFailed", error: toWireError(error) });
    bus.end();
  }
}

async function serve(init: WorkerInit, bus: BusConnection, log: Logger, handlers: Handler[]): Promise<void> {
  const { slot, incarnation, options } = init;
  // Before the first wait: what the hub says first must find its reader.
  let metrics: WorkerMetrics | undefined;
  const work = new ClientWork();
  watchAcks(work);
  const adapter = chooseAdapter({
    bus,
    options,
    log,
    onSlowClient: () => metrics?.onRefusal("slow_client"),
    onDirect: (messages, bytes) => metrics?.countSent(messages, bytes),
    onRestore: (outcome) => metrics?.onRestore(outcome),
  });
  handlers.push(adapter.handle);

  const app = await loadApp(init.appUrl);
  const { io, http, requests, takeConnections, closeAfterAnswers } = createIoServer({
    app,
    name: init,
    log,
    router: options.router,
    serverOptions: adapter.apply(guardedServerOptions(app.io ?? {}, options)),
    onError: (error) => metrics?.onError(error, { stage: "http" }),
  });
  const passports = readPassports({ io, http, bus, options });
  handlers.push(passports.handle);
  metrics = new WorkerMetrics({ io, bus, slot, log });
  guardServer(io, {
    options,
    log,
    onRefusal: (reason) => metrics?.onRefusal(reason),
    onWork: ({ conn }, handled) => work.during(conn, handled),
  });
  const cpu = new CpuClient({ bus, slot, incarnation, options, log, tasks: app.tasks });
  const presence = new PresenceClient({ bus, options, log, way: adapter.diffWay });
  for (const part of [metrics, cpu, presence]) handlers.push((message) => part.handle(message));

  const box: Box = { slot, incarnation, options, log, cpu, presence, metrics: metrics.registry };
  await app.setup(io, box);

  const stopReporting = startLoadReport(io, bus, () => metrics?.recentLagMs() ?? 0);
  const drain = async (deadlineMs: number): Promise<void> => {
    closeAfterAnswers();
    relay.drain();
    await drainWorker({
      io,
      options,
      isBusy: (client) => work.isBusy(client),
      requestsDone: () => requests.done(),
      drainTasks: (ms) => cpu.drain(ms),
      deadlineMs,
    });
    await settledWithin(adapter.settle(), SETTLE_MS);
    stopReporting();
    cpu.close();
    await metrics?.close();
    // What this worker said last has reached the primary when that closes the connection.
    const closed = once(bus, "close");
    bus.end();
    await closed;
  };
  let isDraining = false;
  handlers.push((message) => {
    if (message.type !== "drain" || isDraining) return;
    isDraining = true;
    void drain(message.deadlineMs).finally(() => process.exit(0));
  });
  const relay = new Relay({
    io,
    http,
    name: init,
    relayPath: init.relayPath,
    secret: init.busSecret,
    requests,
    ...passports,
  });
  takeConnections();
  bus.send({ type: "ready", hasAffinity: app.affinity !== undefined });
}
