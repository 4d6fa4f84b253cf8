// Tells the primary how loaded this worker is: what the router and `status` look at. At once when clients came or went
// (then not again for a moment), and every so often anyway: in a box that has nothing to do, reports are what it costs.

import type { Server } from "socket.io";
import type { BusConnection } from "../bus/connection.ts";
import { LOAD_INTERVAL_MS, type LoadMessage } from "../bus/messages.ts";
import { residentMemory } from "../lib/resident-memory.ts";

const PAUSE_MS = 20;

/**
 * Starts reporting and counts the new clients' connections that arrive over IPC. Returns what stops it.
 * `lagMs` tells the worst lag of the event loop in the last second or so.
 */
export function startLoadReport(io: Server, bus: BusConnection, lagMs: () => number): () => void {
  let received = 0;
  let pause: NodeJS.Timeout | undefined;

  const report = (): void => {
    const clients = io.engine.clientsCount;
    bus.send({
      type: "load",
      clients,
      received,
      loopLagMs: Math.round(lagMs()),
      memoryBytes: residentMemory(),
    } satisfies LoadMessage);
  };
  const reportSoon = (): void => {
    pause ??= setTimeout(() => {
      pause = undefined;
      report();
    }, PAUSE_MS);
  };
  const count = (message: unknown): void => {
    if ((message as { isNew?: unknown } | null)?.isNew !== true) return;
    received++;
    reportSoon();
  };

  process.on("message", count);
  io.engine.on("connection", (client: { once(event: "close", listener: () => void): void }) => {
    client.once("close", reportSoon);
  });
  const timer = setInterval(report, LOAD_INTERVAL_MS);
  return () => {
    clearInterval(timer);
    clearTimeout(pause);
    process.off("message", count);
  };
}
