// Asks the router for a sign of life: whether a connection to the box's own port is accepted. A loop that turns does not
// show it: the port may be closed, or accept nothing more.

import { createConnection } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

export interface RouterProbeOptions {
  /** `http://HOST:PORT` of the port. */
  readonly url: string;
  /** How many connections the router has taken from the port. */
  readonly accepted: () => number;
  /** @default 2000 */
  readonly timeoutMs?: number;
}

const POLL_MS = 20;

/** Resolves to whether a connection was accepted in time: this one, or any other of a busy box. */
export async function acceptsConnections({ url, accepted, timeoutMs = 2000 }: RouterProbeOptions): Promise<boolean> {
  const before = accepted();
  const { hostname, port } = new URL(url);
  const socket = createConnection({ host: reachable(hostname), port: Number(port) });
  socket.on("error", () => {});
  const deadline = performance.now() + timeoutMs;
  while (accepted() === before && performance.now() < deadline) await delay(POLL_MS);
  socket.destroy();
  return accepted() !== before;
}

/** An address to connect to, for one that stands for all. */
function reachable(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  return hostname === "[::]" ? "::1" : hostname.replace(/^\[|\]$/g, "");
}
