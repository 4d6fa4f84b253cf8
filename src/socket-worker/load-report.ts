// Tells the primary a few times a second how loaded this worker is: what the router and `status` look at.

import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Server } from "socket.io";
import type { BusConnection } from "../bus/connection.ts";
import type { LoadMessage } from "../bus/messages.ts";

const INTERVAL_MS = 250;
const RESOLUTION_MS = 10;

/** Starts reporting and counts the new clients' connections that arrive over IPC. Returns what stops it. */
export function startLoadReport(io: Server, bus: BusConnection): () => void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let received = 0;
  const count = (message: unknown): void => {
    if ((message as { isNew?: unknown } | null)?.isNew === true) received++;
  };
  const report = (): void => {
    const message: LoadMessage = {
      type: "load",
      clients: io.engine.clientsCount,
      received,
      // The histogram counts its own resolution as delay.
      loopLagMs: Math.max(0, Math.round(delay.max / 1e6 - RESOLUTION_MS)),
      memoryBytes: process.memoryUsage.rss(),
    };
    delay.reset();
    bus.send(message);
  };

  delay.enable();
  process.on("message", count);
  const timer = setInterval(report, INTERVAL_MS);
  return () => {
    clearInterval(timer);
    delay.disable();
    process.off("message", count);
  };
}
