// What a client is told when something of it is refused, in one shape:
//   an event with an ack    ack({ error: { code, message, retryAfterMs? } })
//   an event without        the event `allcores:error` with { code, message, retryAfterMs?, event? }
//   a connection            connect_error, its `data` { code, retryAfterMs?, reason? }

import { PacketType } from "socket.io-parser";
import type { AuthFailure } from "../auth/authenticate.ts";
import type { ErrorCode } from "../errors.ts";
import type { ClientInternals, Packet, SocketInternals } from "./socket-io.ts";

/** The event that carries a refusal when the client asked for no ack. */
const ERROR_EVENT = "allcores:error";

/** An event's name is repeated in its refusal up to this length. */
const MAX_ECHOED_EVENT = 256;

export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  /** When to try again. Only with `ALLCORES_ERR_RATE_LIMITED`. */
  readonly retryAfterMs?: number;
  /** What is wrong with the token. Only with `ALLCORES_ERR_UNAUTHORIZED`. */
  readonly reason?: AuthFailure;
}

/**
 * Why something was refused, for counters: `rate` and `packet` an event, an ack or a CONNECT; `handler` an app's code
 * failed; `flood` a connection was closed because it went on; `payload` an oversized POST.
 */
export type RefusalReason = "unauthorized" | "origin" | "rate" | "packet" | "handler" | "flood" | "payload";

export interface RefusalInfo {
  readonly namespace?: string;
  readonly event?: string;
}

export type OnRefusal = (reason: RefusalReason, info: RefusalInfo) => void;

/** Answers one event. */
export function refuseEvent(socket: SocketInternals, packet: Packet, refusal: Refusal): void {
  if (packet.id !== undefined && packet.id !== null) {
    const { id } = packet;
    socket.client._packet({ type: PacketType.ACK, nsp: socket.nsp.name, id, data: [{ error: refusal }] });
    return;
  }
  const [event] = Array.isArray(packet.data) ? (packet.data as unknown[]) : [];
  sendError(socket, refusal, event);
}

/**
 * Tells a client of an error. The packet goes out directly: no app's `onAnyOutgoing` sees it, and connection state
 * recovery neither stores nor counts it.
 */
export function sendError(socket: SocketInternals, refusal: Refusal, event?: unknown): void {
  if (!socket.connected) return;
  const data = [
    ERROR_EVENT,
    { ...refusal, ...(typeof event === "string" && { event: event.slice(0, MAX_ECHOED_EVENT) }) },
  ];
  socket.client._packet({ type: PacketType.EVENT, nsp: socket.nsp.name, data });
}

/** Answers one CONNECT. */
export function refuseConnect(client: ClientInternals, namespace: string, refusal: Refusal): void {
  const { message, ...details } = refusal;
  // Protocol 3 has no object there: its clients take the whole payload for the message.
  const data = client.conn.protocol === 3 ? message : { message, data: details };
  client._packet({ type: PacketType.CONNECT_ERROR, nsp: namespace, data });
}
