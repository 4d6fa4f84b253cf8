// Tells the primary how loaded this worker is: what the router and `status` look at. At once when clients came or went
// (then not again for a moment), and a few times a second anyway.

import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Server } from "socket.io";
import type { BusConnection } from "../bus/connection.ts";
import type { LoadMessage } from "../bus/messages.ts";

const INTERVAL_MS = 250;
const PAUSE_MS = 20;
const RESOLUTION_MS = 10;

/** Starts reporting and counts the new clients' connections that arrive over IPC. Returns what stops it. */
export function startLoadReport(io: Server, bus: BusConnection): () => void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let received = 0;
  let pause: NodeJS.Timeout | undefined;
  let loopLagMs = 0;

  const report = (): void => {
    const clients = io.engine.clientsCount;
    bus.send({
      type: "load",
      clients,
      received,
      loopLagMs,
      memoryBytes: process.memoryUsage.rss(),
    } satisfies LoadMessage);
  };
  const reportSoon = (): void => {
    pause ??= setTimeout(() => {
      pause = undefined;
      report();
    }, PAUSE_MS);
  };
  const measure = (): void => {
    // The histogram counts its own resolution as delay.
    loopLagMs = Math.max(0, Math.round(delay.max / 1e6 - RESOLUTION_MS));
    delay.reset();
    report();
  };
  const count = (message: unknown): void => {
    if ((message as { isNew?: unknown } | null)?.isNew !== true) return;
    received++;
    reportSoon();
  };

  delay.enable();
  process.on("message", count);
  io.engine.on("connection", (client: { once(event: "close", listener: () => void): void }) => {
    client.once("close", reportSoon);
  });
  const timer = setInterval(measure, INTERVAL_MS);
  return () => {
    clearInterval(timer);
    clearTimeout(pause);
    delay.disable();
    process.off("message", count);
  };
}
