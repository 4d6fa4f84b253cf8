// How what came to a worker on a kept connection, and is another worker's, gets there: by way of the router, which knows
// where everything belongs. A request is sent again on a connection from the worker to the router's unix socket, which
// hands that connection over like any other. A WebSocket upgrade is the last request of its connection: the worker gives
// the connection itself back.

import { timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";

/** In a request that a worker sends again: the secret of the box, and who opened the connection it came on. */
export const RELAY_HEADER = "allcores-relay";

/**
 * In a request that a worker makes up: the poll of this session that waits is to be answered, with nothing. The worker that
 * holds its connection has to go, and the client is to poll by another one.
 */
export const RELEASE_HEADER = "allcores-release";

export function relayValue(secret: string, peer: string): string {
  return `${secret} ${peer}`;
}

/** Who opened the connection, or `undefined` when the secret is not that of the box. */
export function peerInRelay(value: string | undefined, secret: string): string | undefined {
  const [shown = "", peer = ""] = value?.split(" ", 2) ?? [];
  const [a, b] = [Buffer.from(shown), Buffer.from(secret)];
  return a.length === b.length && timingSafeEqual(a, b) ? peer : undefined;
}

/** Socket worker to primary, over Node's channel, with the connection. */
export interface RerouteMessage {
  readonly type: "allcores:reroute";
  /** What was read from the connection since its last answer: a request head, and whatever came behind it. */
  readonly data: Buffer;
  /** Who opened the connection. */
  readonly peer: string;
  /** The ticket that the connection had, when nothing else lives on it. */
  readonly ticket?: number;
}

export function isReroute(value: unknown): value is RerouteMessage {
  return typeof value === "object" && value !== null && (value as { type?: unknown }).type === "allcores:reroute";
}

/** Takes the connection that came with the message; it may have closed on the way. */
export type OnReroute = (message: RerouteMessage, connection: Socket | undefined) => void;
