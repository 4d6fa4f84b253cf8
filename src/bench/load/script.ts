// What the load side is told to do: who connects, who sends what, who drops out when. A scenario writes it once for all
// clients; the fleet deals the clients out to the load processes.

import type { AppProtocol, ClientEvent } from "../contract.ts";

export interface ClientSpec {
  /** 0, 1, 2, ... over all load processes; also its name for the app: user `u7`. */
  readonly id: number;
  /** Room it is in and sends to, `r3` for the app. -1: in no room. */
  readonly room: number;
  /** Which of the target's urls it connects to. */
  readonly url: number;
  /** Index of the flow it sends in; -1: it only listens. */
  readonly flow: number;
  /** Milliseconds after the start of traffic at which it connects; missing: before traffic. */
  readonly bornMs?: number;
  /** Milliseconds after the start of traffic at which it leaves, once it has all its own messages; missing: never. */
  readonly diesMs?: number;
}

/** Messages of one kind at one rate, sent in turn by the clients of the flow. */
export interface Flow {
  readonly event: Exclude<ClientEvent, "join" | "hello">;
  /** Messages per second of all clients of all load processes together. */
  readonly ratePerSecond: number;
}

/** Clients that lose their TCP connection again and again, each at its own time. */
export interface Outages {
  readonly everyMs: number;
  readonly forMs: number;
  /** `reset`: the server sees it at once. `silent`: the old connection stays open, and nothing comes over it any more. */
  readonly drop: "reset" | "silent";
}

export interface LoadScript {
  readonly clients: readonly ClientSpec[];
  readonly flows: readonly Flow[];
  readonly payloadBytes: number;
  readonly protocol: AppProtocol;
  readonly urls: readonly string[];
  /** New connections per second of all load processes together; 0: all at once. */
  readonly connectsPerSecond: number;
  /** A connection without its CONNECT reply after this long is hung. */
  readonly connectDeadlineMs: number;
  /** A connection that was refused or hung is tried again until this long after its turn; 0: never. */
  readonly connectRetryMs: number;
  /** Ask each client's worker slot with the `hello` event. */
  readonly asksSlot: boolean;
  /** Put the client's room into the handshake (`room=r3`), so that the server can keep rooms together. */
  readonly tellsRoom: boolean;
  /** Publishes ask for an ack, so that it is known which ones the server accepted. */
  readonly acksPublishes: boolean;
  readonly outages?: Outages;
}

/** What `?room=` and `$room` hold. */
export function roomName(room: number): string {
  return `r${room}`;
}

/** What `?user=`, `$user` and `$target` hold. */
export function userName(client: number): string {
  return `u${client}`;
}

/** When all clients are in, or have given up, at the latest. */
export function longestConnectMs({
  clients,
  connectsPerSecond,
  connectRetryMs,
  connectDeadlineMs,
}: LoadScript): number {
  const turnsMs = connectsPerSecond > 0 ? (clients.length / connectsPerSecond) * 1000 : 0;
  return turnsMs + connectRetryMs + 2 * connectDeadlineMs;
}
