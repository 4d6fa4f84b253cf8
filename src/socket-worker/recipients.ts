// Who of this worker's clients a message is for, in the shape that delivering needs: lists that are made when somebody
// comes or goes and walked through for every message. A list never changes once it is made, so it may be walked through
// while what happens on the way (a client's close, say) changes its room.

import type { Namespace, Socket } from "socket.io";
import type { Adapter } from "socket.io-adapter";
import type { Delivery, Outbox } from "./delivery.ts";

export interface Target {
  /** None: the whole namespace. */
  readonly rooms: readonly string[];
  readonly except: readonly string[];
}

/** One socket as a message sees it. */
export class Recipient {
  readonly id: string;
  #socket: Socket | undefined;
  #outbox: Outbox | undefined;

  constructor(id: string) {
    this.id = id;
  }

  /** The socket, or `undefined` while it is on its way through the middleware and after its end. */
  socketIn(namespace: Namespace): Socket | undefined {
    this.#socket ??= namespace.sockets.get(this.id);
    return this.#socket?.connected === true ? this.#socket : undefined;
  }

  outboxIn(delivery: Delivery, socket: Socket): Outbox {
    this.#outbox ??= delivery.outboxOf(socket);
    return this.#outbox;
  }
}

const NOBODY: readonly Recipient[] = [];
/** Names the list of the whole namespace: a room of an app can have any text as its name. */
const EVERYONE: unique symbol = Symbol("everyone");

export class Recipients {
  readonly #adapter: Adapter;
  readonly #all = new Map<string, Recipient>();
  readonly #lists = new Map<string | typeof EVERYONE, readonly Recipient[]>();

  constructor(adapter: Adapter) {
    this.#adapter = adapter;
  }

  /** The socket has come into the rooms. */
  entered(id: string, rooms: Iterable<string>): void {
    if (!this.#all.has(id)) {
      this.#all.set(id, new Recipient(id));
      this.#lists.delete(EVERYONE);
    }
    for (const room of rooms) this.changed(room);
  }

  /** A socket has come into the room or left it. */
  changed(room: string): void {
    this.#lists.delete(room);
  }

  /** The socket has left these rooms, its last. */
  removed(id: string, rooms: Iterable<string>): void {
    this.#all.delete(id);
    this.#lists.delete(EVERYONE);
    for (const room of rooms) this.changed(room);
  }

  /** Whom a target names, each once. */
  of({ rooms, except }: Target): Iterable<Recipient> {
    if (rooms.length <= 1 && except.length === 0) return this.#list(rooms[0] ?? EVERYONE);

    const excepted = new Set(except.flatMap((room) => this.#list(room)));
    const named = rooms.length === 0 ? this.#list(EVERYONE) : rooms.flatMap((room) => this.#list(room));
    return new Set(named.filter((recipient) => !excepted.has(recipient)));
  }

  #list(room: string | typeof EVERYONE): readonly Recipient[] {
    const known = this.#lists.get(room);
    if (known !== undefined) return known;
    const ids = room === EVERYONE ? this.#adapter.sids.keys() : this.#adapter.rooms.get(room);
    if (ids === undefined) return NOBODY;
    const list = [...ids].flatMap((id) => this.#all.get(id) ?? []);
    this.#lists.set(room, list);
    return list;
  }
}
