// The guard of one connection. Everything its client sends passes here after it is decoded and before anything is done
// with it: it goes on, is answered with a refusal, or is the end of the connection.

import { PacketType } from "socket.io-parser";
import type { WebSocket } from "ws";
import { toError } from "../errors.ts";
import { IdentityGuard } from "./identity-guard.ts";
import { findEventFault, findExcess } from "./packet-bounds.ts";
import { KeyedBuckets, TokenBucket } from "./rate-limit.ts";
import { type Refusal, type RefusalReason, refuseConnect, refuseEvent, sendError } from "./refusal.ts";
import type { ServerGuard } from "./server-guard.ts";
import type { ClientInternals, Packet, SocketInternals } from "./socket-io.ts";

/** How many refusals in a row a client may cause, as a multiple of its burst, before its connection is closed. */
const REFUSED_BURSTS = 10;

/** Engine.IO's own packets: a well-behaved client sends one pong for each ping. */
const CONTROL_LIMIT = { perSecond: 1000, burst: 1000 };

/** The longest namespace name that is repeated in the refusal of a CONNECT. A longer one closes the connection. */
const MAX_ECHOED_NAMESPACE = 4096;

/** How long a flooding client has to read what was sent to it before. Nothing more is read from it. */
const LAST_WORDS_MS = 1000;

export class ConnectionGuard {
  readonly identity: IdentityGuard | undefined;
  readonly #client: ClientInternals;
  readonly #guard: ServerGuard;
  /** Without it, events may come as fast as they like. */
  readonly #events: KeyedBuckets | undefined;
  readonly #connects: TokenBucket;
  readonly #refusals: TokenBucket;
  readonly #controls: TokenBucket;
  #isDecoded = true;
  #attachmentTimer: NodeJS.Timeout | undefined;

  constructor(client: ClientInternals, guard: ServerGuard) {
    const { eventsPerSecond, eventBurst } = guard.limits;
    const limit = { perSecond: eventsPerSecond, burst: eventBurst };
    const now = performance.now();
    this.#client = client;
    this.#guard = guard;
    this.#events = eventsPerSecond > 0 ? new KeyedBuckets(limit) : undefined;
    this.#connects = new TokenBucket(limit, now);
    this.#refusals = new TokenBucket(
      { perSecond: eventsPerSecond === 0 ? eventBurst : eventsPerSecond, burst: eventBurst * REFUSED_BURSTS },
      now,
    );
    this.#controls = new TokenBucket(CONTROL_LIMIT, now);
    if (guard.authenticate !== undefined) {
      const onExpired = (socket: SocketInternals): void => guard.count("unauthorized", { namespace: socket.nsp.name });
      this.identity = new IdentityGuard(client, guard.authenticate, onExpired);
    }
    client.conn.on("packet", (packet: { readonly type: string }) => {
      if (packet.type !== "message" && this.#controls.take(performance.now()) > 0) this.#drop();
    });
  }

  /** Data is about to be decoded. */
  beforeDecode(): void {
    this.#isDecoded = false;
  }

  /** It was. If no packet came of it, the rest of the packet is still to come: its attachments. */
  afterDecode(): void {
    if (this.#isDecoded || !this.#isOpen) return;
    const { attachmentTimeoutMs } = this.#guard.limits;
    this.#endAttachmentTimer();
    this.#attachmentTimer = setTimeout(
      () => this.#closeFor(`An attachment of a packet did not come within ${attachmentTimeoutMs} ms.`),
      attachmentTimeoutMs,
    ).unref();
  }

  /** Whether Socket.IO is to handle the packet. If not, it has been answered here. */
  admits(packet: Packet): boolean {
    this.#isDecoded = true;
    this.#endAttachmentTimer();
    const { namespace } = this.#client._parseNamespace(packet);
    if (packet.type === PacketType.CONNECT) return this.#admitsConnect(namespace, packet);
    const socket = this.#client.nsps.get(namespace);
    // Socket.IO closes the connection of a client that sends something to a namespace it has not joined.
    if (socket === undefined) return true;
    switch (packet.type) {
      case PacketType.EVENT:
      case PacketType.BINARY_EVENT:
        return this.#admitsEvent(socket, packet);
      case PacketType.ACK:
      case PacketType.BINARY_ACK:
        return this.#admitsAck(socket, packet);
      default:
        return true;
    }
  }

  /** Answers a CONNECT with a refusal. */
  refuseConnect(namespace: string, reason: RefusalReason, refusal: Refusal): false {
    refuseConnect(this.#client, namespace, refusal);
    return this.#countRefusal(reason, namespace);
  }

  /** Tells the client why its connection is about to be closed: it sent what no parser can read. */
  explain(error: unknown): void {
    if (this.#isOpen) this.#complain(`The packet cannot be read (${toError(error).message.slice(0, 200)}).`);
  }

  /** The connection is closed. */
  end(): void {
    this.#endAttachmentTimer();
    this.identity?.end();
  }

  #endAttachmentTimer(): void {
    clearTimeout(this.#attachmentTimer);
    this.#attachmentTimer = undefined;
  }

  get #isOpen(): boolean {
    return this.#client.conn.readyState === "open";
  }

  #admitsConnect(namespace: string, packet: Packet): boolean {
    const { limits } = this.#guard;
    const tooLong = `The name of a namespace must be text of up to ${limits.maxNameLength} characters.`;
    if (typeof namespace !== "string" || namespace.length > MAX_ECHOED_NAMESPACE) {
      this.#closeFor(tooLong);
      return false;
    }
    const retryAfterMs = this.#connects.take(performance.now());
    if (retryAfterMs > 0) return this.refuseConnect(namespace, "rate", tooFast(retryAfterMs));
    const fault = namespace.length > limits.maxNameLength ? tooLong : findExcess(packet.data, limits);
    return fault === undefined || this.refuseConnect(namespace, "packet", badPacket(fault));
  }

  #admitsEvent(socket: SocketInternals, packet: Packet): boolean {
    const retryAfterMs = this.#events?.take(socket.nsp.name, performance.now()) ?? 0;
    if (retryAfterMs > 0) return this.#refuseEvent(socket, packet, "rate", tooFast(retryAfterMs));
    const fault = findEventFault(packet.data, this.#guard.limits);
    return fault === undefined || this.#refuseEvent(socket, packet, "packet", badPacket(fault));
  }

  #admitsAck(socket: SocketInternals, packet: Packet): boolean {
    if (!socket.acks.has(packet.id ?? -1)) return this.#countRefusal("packet", socket.nsp.name);
    const fault = Array.isArray(packet.data) ? findExcess(packet.data, this.#guard.limits) : "An ack must be an array.";
    if (fault !== undefined) this.#closeFor(fault);
    return fault === undefined;
  }

  #refuseEvent(socket: SocketInternals, packet: Packet, reason: RefusalReason, refusal: Refusal): false {
    refuseEvent(socket, packet, refusal);
    return this.#countRefusal(reason, socket.nsp.name);
  }

  #countRefusal(reason: RefusalReason, namespace: string): false {
    this.#guard.count(reason, { namespace });
    if (this.#refusals.take(performance.now()) > 0) this.#drop();
    return false;
  }

  #complain(message: string): void {
    this.#guard.count("packet", {});
    for (const socket of this.#client.sockets.values()) sendError(socket, badPacket(message));
  }

  #closeFor(message: string): void {
    this.#complain(message);
    this.#client.close();
  }

  /** Ends the connection of a client that does not stop: from here on it costs nothing. */
  #drop(): void {
    if (!this.#isOpen) return;
    const { conn } = this.#client;
    this.#guard.flooded(conn.remoteAddress);
    const { transport } = conn;
    conn.close(true);
    if (transport.name !== "websocket") return;
    const { socket } = transport as unknown as { readonly socket: WebSocket };
    socket.pause();
    setTimeout(() => socket.terminate(), LAST_WORDS_MS).unref();
  }
}

function tooFast(retryAfterMs: number): Refusal {
  const message = `Too many events. Try again in ${retryAfterMs} ms.`;
  return { code: "ALLCORES_ERR_RATE_LIMITED", message, retryAfterMs };
}

function badPacket(message: string): Refusal {
  return { code: "ALLCORES_ERR_PACKET_REFUSED", message };
}
