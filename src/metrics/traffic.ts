// Counts what goes in and out of the clients of one Socket.IO server, in plain integers.
//
// A message is a Socket.IO packet: CONNECT, EVENT, ACK and so on, with its binary attachments one. Engine.IO's own
// pings, pongs and upgrades are none. Counted is the Engine.IO session, so it does not matter whether a packet travels
// over WebSocket or long-polling, nor whether the app removes its listeners from its sockets.

import type { Server } from "socket.io";
import { PacketType } from "socket.io-parser";
import { family, type MetricFamily, type MetricSample, single } from "./family.ts";
import { LabelCounter } from "./label-counter.ts";

const TRANSPORTS = ["polling", "websocket", "webtransport"] as const;
const CLOSE_REASONS = ["transport close", "transport error", "ping timeout", "parse error", "forced close"] as const;

/** Listeners to `packetCreate` that this file adds to each session: whoever looks for others' has to know. */
export const OWN_PACKET_LISTENERS = 1;

/** The parts of an Engine.IO session that are looked at. */
interface EngineSession {
  readonly transport: { readonly name: string };
  on(event: "data", listener: (data: unknown) => void): void;
  on(event: "packetCreate", listener: (packet: { type: string; data?: unknown }) => void): void;
  on(event: "upgrade", listener: (transport: { name: string }) => void): void;
  on(event: "close", listener: (reason: string) => void): void;
}

export class Traffic {
  readonly #open = new Map<string, number>(TRANSPORTS.map((name) => [name, 0]));
  readonly #connects = new LabelCounter(["transport"]);
  readonly #disconnects = new LabelCounter(["reason"]);
  readonly #hasTextPackets: boolean;
  #received = 0;
  #sent = 0;
  #receivedBytes = 0;
  #sentBytes = 0;
  #lastText = "";
  #lastTextBytes = 0;

  /** Counts from now on. Call it before clients connect. */
  constructor(io: Server) {
    // The standard parser sends each packet as text and its attachments as bytes after it; others know only bytes.
    const [probe] = io.encoder.encode({ type: PacketType.CONNECT, nsp: "/" });
    this.#hasTextPackets = typeof probe === "string";
    io.engine.on("connection", (session: EngineSession) => this.#watch(session));
  }

  families(labels: MetricSample["labels"]): MetricFamily[] {
    const open = [...this.#open].map(([transport, value]) => ({ labels: { ...labels, transport }, value }));
    return [
      family("allcores_connections", open),
      family("allcores_connects_total", this.#connects.samples(labels)),
      family("allcores_disconnects_total", this.#disconnects.samples(labels)),
      single("allcores_messages_received_total", this.#received, labels),
      single("allcores_messages_sent_total", this.#sent, labels),
      single("allcores_received_bytes_total", this.#receivedBytes, labels),
      single("allcores_sent_bytes_total", this.#sentBytes, labels),
    ];
  }

  /** Messages that reached clients past Engine.IO, and the bytes that went over the wire. */
  countSent(messages: number, bytes: number): void {
    this.#sent += messages;
    this.#sentBytes += bytes;
  }

  #watch(session: EngineSession): void {
    let transport = bounded(TRANSPORTS, session.transport.name);
    this.#connects.add(transport);
    this.#addOpen(transport, 1);
    session.on("data", this.#onData);
    session.on("packetCreate", this.#onPacketCreate);
    session.on("upgrade", ({ name }) => {
      this.#addOpen(transport, -1);
      transport = bounded(TRANSPORTS, name);
      this.#addOpen(transport, 1);
    });
    session.on("close", (reason) => {
      this.#disconnects.add(bounded(CLOSE_REASONS, reason).replace(" ", "_"));
      this.#addOpen(transport, -1);
    });
  }

  // One function for all sessions: a closure each would cost memory for every connection.
  readonly #onData = (data: unknown): void => {
    if (!this.#hasTextPackets || typeof data === "string") this.#received++;
    this.#receivedBytes += this.#bytesOf(data);
  };

  readonly #onPacketCreate = (packet: { type: string; data?: unknown }): void => {
    if (packet.type !== "message") return;
    if (!this.#hasTextPackets || typeof packet.data === "string") this.#sent++;
    this.#sentBytes += this.#bytesOf(packet.data);
  };

  /** A broadcast sends one string to everybody, so the last length is remembered: comparing is cheaper than counting. */
  #bytesOf(data: unknown): number {
    if (typeof data !== "string") return byteLengthOf(data);
    if (data === this.#lastText) return this.#lastTextBytes;
    this.#lastText = data;
    this.#lastTextBytes = Buffer.byteLength(data);
    return this.#lastTextBytes;
  }

  #addOpen(transport: string, change: number): void {
    this.#open.set(transport, (this.#open.get(transport) ?? 0) + change);
  }
}

function byteLengthOf(data: unknown): number {
  return ArrayBuffer.isView(data) || data instanceof ArrayBuffer ? data.byteLength : 0;
}

function bounded(known: readonly string[], value: string): string {
  return known.includes(value) ? value : "other";
}
