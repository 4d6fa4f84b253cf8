// The processes that are connected to the primary, as its parts see them: who is there, a word to one, a word to all.
// A part listens here for its own message types and ignores the rest.

import { EventEmitter, once } from "node:events";
import type { BusConnection } from "./connection.ts";
import type { BusMessage, BusRole, HelloMessage } from "./messages.ts";

/** One connected process. `slot` and `incarnation` name it for ever: no two processes of a box share both. */
export interface Peer {
  readonly role: BusRole;
  readonly slot: number;
  readonly incarnation: number;
  readonly connection: BusConnection;
}

interface PeersEvents {
  join: [peer: Peer];
  message: [peer: Peer, message: BusMessage, body: Buffer];
  /** The connection is closed, because the process died or was told to go. */
  leave: [peer: Peer];
}

export class Peers extends EventEmitter<PeersEvents> {
  readonly #peers = new Set<Peer>();

  /** Socket workers that are connected, in order of arrival. */
  socketWorkers(): Peer[] {
    return [...this.#peers].filter(({ role }) => role === "socket-worker");
  }

  /** Resolves when no socket worker is connected and all that they said has been taken. */
  async socketWorkersGone(): Promise<void> {
    while (this.socketWorkers().length > 0) await once(this, "leave");
  }

  /** Takes in a connection that said hello: the `onPeer` of the bus server. */
  add(connection: BusConnection, { role, slot, incarnation }: HelloMessage): void {
    const peer: Peer = { role, slot, incarnation, connection };
    this.#peers.add(peer);
    connection.on("message", (message, body) => this.emit("message", peer, message, body));
    connection.on("close", () => {
      this.#peers.delete(peer);
      this.emit("leave", peer);
    });
    this.emit("join", peer);
  }

  /** Sends to every socket worker but `except`. */
  broadcast(message: BusMessage, body?: Uint8Array, except?: Peer): void {
    for (const peer of this.#peers) {
      if (peer.role === "socket-worker" && peer !== except) peer.connection.send(message, body);
    }
  }
}
