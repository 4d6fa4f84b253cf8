// One connection on its way to a worker: who is behind it, and whether it may come in.

import type { Socket } from "node:net";
import { peerInRelay, RELAY_HEADER } from "../../bus/relay.ts";
import type { ConnectionRefusal } from "../../lib/connection-refusal.ts";
import type { WorkerName } from "../../lib/session-id.ts";
import { clientAddress, type TrustedProxies } from "../../lib/trusted-proxies.ts";
import { type HeadProgress, HeadReader } from "../head-reader.ts";
import { headersOf } from "../request-head.ts";
import type { Admission, Ticket } from "./admission.ts";
import { ProxyHeaderReader } from "./proxy-header.ts";

export interface Reception {
  readonly maxHeadBytes: number;
  readonly trusted: TrustedProxies;
  /** Connections from trusted addresses begin with a header of the PROXY protocol. */
  readonly proxyProtocol: boolean;
  /** Without it there are no limits. */
  readonly admission: Admission | undefined;
}

/** Where a connection comes from. */
export type VisitOrigin =
  | { readonly from: "port" }
  /** A worker opened it, for a request that is another worker's. It shows the secret of the box. */
  | { readonly from: "relay"; readonly secret: string }
  /** A worker had it, and knows who opened it. */
  | { readonly from: "worker"; readonly peer: string };

export type VisitProgress = HeadProgress | "badProxyHeader" | ConnectionRefusal;

/** What a worker needs to know of a connection besides its bytes. */
export interface Passport {
  /** The ticket's number, where connections are counted. */
  readonly ticket?: number;
  /** The connection is counted for what its request begins, rather than for being open. */
  readonly isCounted?: boolean;
  /** The connection was opened by a worker, and each of its requests says for whom. */
  readonly isRelay?: boolean;
  /** Who opened the connection, where the PROXY protocol says that it was not who it seems. */
  readonly peer?: string;
}

export class Visit {
  readonly #reception: Reception;
  readonly #head: HeadReader;
  readonly #origin: VisitOrigin;
  #socket: Socket;
  #ticket: Ticket | undefined;
  /** Who opened the connection, as far as is known. */
  #peer: string;
  #isPeerTold = false;
  /** Of the client, once it is known. */
  #address: string | undefined;
  #proxyHeader: ProxyHeaderReader | undefined;
  /** Why the connection may not even send its head. */
  readonly refusal: ConnectionRefusal | undefined;

  /** Counts the connection from now on: until the socket closes, or a worker that was given it says so. */
  constructor(socket: Socket, reception: Reception, origin: VisitOrigin = { from: "port" }) {
    const { maxHeadBytes, trusted, proxyProtocol } = reception;
    this.#reception = reception;
    this.#origin = origin;
    this.#socket = socket;
    this.#head = new HeadReader(maxHeadBytes);
    this.#isPeerTold = origin.from === "worker";
    this.#peer = origin.from === "worker" ? origin.peer : (socket.remoteAddress ?? "");
    // Of a worker's own connections only those count that begin something.
    if (origin.from === "relay") return;
    this.refusal = this.#arrive();
    if (this.refusal !== undefined) return;
    if (!trusted.has(this.#peer)) this.refusal = this.#identify(this.#peer);
    else if (proxyProtocol && origin.from === "port") this.#proxyHeader = new ProxyHeaderReader();
  }

  /** The client's, once the head is complete. */
  get address(): string {
    return this.#address ?? this.#peer;
  }

  /** Everything read so far, from the request on. */
  bytes(): Buffer {
    return this.#head.bytes();
  }

  push(chunk: Buffer): VisitProgress {
    if (this.#proxyHeader !== undefined) return this.#pushToProxyHeader(this.#proxyHeader, chunk);
    const progress = this.#head.push(chunk);
    if (progress !== "complete" || this.#address !== undefined) return progress;
    const { "x-forwarded-for": forwardedFor, [RELAY_HEADER]: relay } = headersOf(this.bytes());
    if (this.#origin.from === "relay") {
      const peer = peerInRelay(relay, this.#origin.secret);
      if (peer === undefined) return "malformed";
      this.#peer = peer;
    }
    return this.#identify(clientAddress(this.#peer, forwardedFor, this.#reception.trusted)) ?? "complete";
  }

  /** Its request begins something new. Once it was let in, it stays so. */
  admit(): ConnectionRefusal | undefined {
    return this.#unlessRefused((admission, ticket) => (ticket.isCounted ? undefined : admission.admit(ticket)));
  }

  /** The worker is about to get the connection. */
  handTo(worker: WorkerName): Passport {
    const { admission } = this.#reception;
    const ticket = this.#ticket && admission?.handTo(worker, this.#ticket);
    return {
      ...(ticket !== undefined && { ticket, isCounted: this.#ticket?.isCounted === true }),
      ...(this.#isPeerTold && { peer: this.#peer }),
      ...(this.#origin.from === "relay" && { isRelay: true }),
    };
  }

  /** The worker did not get it. */
  takeBack(): void {
    if (this.#ticket !== undefined) this.#reception.admission?.takeBack(this.#ticket);
  }

  /** The connection goes on under another socket. */
  moveTo(socket: Socket): void {
    this.#socket = socket;
    this.#endWith(socket);
  }

  /** The connection is no more. */
  end(): void {
    if (this.#ticket !== undefined) this.#reception.admission?.release(this.#ticket);
  }

  #pushToProxyHeader(header: ProxyHeaderReader, chunk: Buffer): VisitProgress {
    const progress = header.push(chunk);
    if (progress === "malformed") return "badProxyHeader";
    if (progress === "more") return "more";
    this.#proxyHeader = undefined;
    if (header.source !== undefined) {
      this.#peer = header.source;
      this.#isPeerTold = true;
    }
    const refusal = this.#reception.trusted.has(this.#peer) ? undefined : this.#identify(this.#peer);
    return refusal ?? this.push(header.rest);
  }

  #arrive(): ConnectionRefusal | undefined {
    const ticket = this.#reception.admission?.arrive();
    if (typeof ticket === "string") return ticket;
    this.#ticket = ticket;
    this.#endWith(this.#socket);
    return undefined;
  }

  #identify(address: string): ConnectionRefusal | undefined {
    this.#address = address;
    return this.#unlessRefused((admission, ticket) => admission.identify(ticket, address));
  }

  /** Who is refused is not counted any longer, however long it takes to read the answer. */
  #unlessRefused(
    decide: (admission: Admission, ticket: Ticket) => ConnectionRefusal | undefined,
  ): ConnectionRefusal | undefined {
    const { admission } = this.#reception;
    if (admission === undefined || this.#ticket === undefined) return undefined;
    const refusal = decide(admission, this.#ticket);
    if (refusal !== undefined) admission.release(this.#ticket);
    return refusal;
  }

  /** A socket that was sent to a worker closes nothing here. */
  #endWith(socket: Socket): void {
    if (this.#ticket === undefined) return;
    socket.once("close", () => {
      if (this.#ticket?.at === undefined) this.end();
    });
  }
}
