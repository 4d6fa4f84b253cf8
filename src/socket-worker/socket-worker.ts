// The socket worker's process: waits for its init message, builds its parts, says ready, serves until told to drain.
// It ignores the box's signals (the primary alone tells it what to do) and never outlives the primary.

import { createAdapter } from "@socket.io/cluster-adapter";
import { Registry } from "prom-client";
import { connectBus } from "../bus/connect.ts";
import type { BusConnection } from "../bus/connection.ts";
import { type BusMessage, toWireError } from "../bus/messages.ts";
import { isWorkerInit, WORKER_INIT_REQUEST, type WorkerInit } from "../bus/worker-init.ts";
import { createLogger, errorFields, type Logger } from "../lib/logger.ts";
import { loadApp } from "./app.ts";
import type { Box } from "./context.ts";
import { drainWorker } from "./drain.ts";
import { createFanoutAdapter } from "./fanout-adapter.ts";
import { createIoServer } from "./io-server.ts";
import { startLoadReport } from "./load-report.ts";

type Handler = (message: BusMessage, body: Buffer) => void;

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"] as const) process.on(signal, () => {});
process.once("disconnect", () => process.exit(0));
process.on("message", onInit);
process.send?.(WORKER_INIT_REQUEST);

function onInit(message: unknown): void {
  if (!isWorkerInit(message)) return;
  process.off("message", onInit);
  const { slot, incarnation, options } = message;
  const log = createLogger({ level: options.logLevel }, { slot, incarnation });
  process.on("uncaughtException", (error) => {
    log.error(errorFields(error), "an uncaught error ends this worker");
    process.exit(1);
  });
  void run(message, log);
}

async function run(init: WorkerInit, log: Logger): Promise<void> {
  const { slot, incarnation, busPath: path, busSecret: secret } = init;
  // The parts come to life after the bus they speak over, so what arrives is passed on through this list.
  const handlers: Handler[] = [];
  const bus = await connectBus({
    path,
    hello: { secret, role: "socket-worker", slot, incarnation },
    onMessage: (message, body) => {
      for (const handle of handlers) handle(message, body);
    },
  });
  bus.once("close", () => process.exit(0));

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
  const app = await loadApp(init.appUrl);
  const fanout = options.redisUrl === "" ? undefined : createFanoutAdapter({ bus, log });
  if (fanout !== undefined) handlers.push(fanout.handle);
  const adapter = fanout?.adapter ?? createAdapter();
  const { io, http, takeConnections } = createIoServer({ app, name: init, log, adapter, serverOptions: app.io ?? {} });

  const box: Box = { slot, incarnation, options, log, metrics: new Registry() };
  await app.setup(io, box);

  const stopReporting = startLoadReport(io, bus);
  let isDraining = false;
  handlers.push((message) => {
    if (message.type !== "drain" || isDraining) return;
    isDraining = true;
    void drainWorker({ io, http, tasksDone: () => Promise.resolve(), deadlineMs: message.deadlineMs }).then(() => {
      stopReporting();
      process.exit(0);
    });
  });
  takeConnections();
  bus.send({ type: "ready", ...(app.tasks !== undefined && { tasks: String(app.tasks) }) });
}
