// A bus connection whose other end does not keep up is closed at its byte limit, and the worker with it. Messages
// between servers are not worth that: they are dropped well before.

import type { BusConnection } from "../bus/connection.ts";
import type { BusMessage } from "../bus/messages.ts";

/** Half of what a bus connection lets wait. */
const MAX_BACKLOG_BYTES = 33_554_432;

/** Sends, unless too much is waiting already. `false`: the message was dropped. Without a body it always goes. */
export function sendBounded(connection: BusConnection, message: BusMessage, body?: Uint8Array): boolean {
  if (body !== undefined && connection.queuedBytes + body.length > MAX_BACKLOG_BYTES) return false;
  return connection.send(message, body);
}
