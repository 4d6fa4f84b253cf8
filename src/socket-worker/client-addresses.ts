// Gives the app the client's address where Node would give it the proxy's: as `remoteAddress` of a request's socket, and
// so as Socket.IO's `handshake.address`. It is that of the latest request, as a proxy may keep its connections.

import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { clientAddress, type TrustedProxies } from "../lib/trusted-proxies.ts";

export class ClientAddresses {
  readonly #trusted: TrustedProxies;
  readonly #peers = new WeakMap<Duplex, string>();

  constructor(trusted: TrustedProxies) {
    this.#trusted = trusted;
  }

  /** The PROXY protocol said who opened the connection. */
  tell(connection: Duplex, peer: string): void {
    this.#peers.set(connection, peer);
  }

  /** Who opened a connection. */
  peerOf(connection: Socket): string {
    const peer = this.#peers.get(connection) ?? connection.remoteAddress ?? "";
    // It may be closed the next time, or show its client's address.
    this.#peers.set(connection, peer);
    return peer;
  }

  /** From now on requests show the client's address. Call it before anybody else listens. */
  watch(http: Server): void {
    const show = (request: IncomingMessage): void => this.#show(request);
    http.prependListener("request", show);
    http.prependListener("upgrade", show);
  }

  #show({ socket, headers }: IncomingMessage): void {
    const peer = this.peerOf(socket);
    const forwardedFor = headers["x-forwarded-for"];
    const value = clientAddress(peer, forwardedFor?.toString(), this.#trusted);
    Object.defineProperty(socket, "remoteAddress", { value, configurable: true, enumerable: true });
  }
}
