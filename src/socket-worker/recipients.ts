// Who of this worker's clients a message is for, in the shape that delivering needs: lists that are made when somebody
// comes or goes and walked through for every message. A list never changes once it is made, so it may be walked through
// while what happens on the way (a client's close, say) changes its room.
//
// A socket comes and goes here at the place in the order that the hub gives that, later than the adapter says so to the
// app: what was said before it left is still for it, as it is for those who come back.

import type { Namespace, Socket } from "socket.io";
import type { Delivery, Outbox } from "./delivery.ts";

export interface Target {
  /** None: the whole namespace. */
  readonly rooms: readonly string[];
  readonly except: readonly string[];
}

/** Names the list of the whole namespace: a room of an app can have any text as its name. */
const EVERYONE: unique symbol = Symbol("everyone");

type RoomName = string | typeof EVERYONE;

/** One socket as a message sees it. */
export class Recipient {
  readonly id: string;
  readonly rooms = new Set<RoomName>();
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

export class Recipients {
  readonly #all = new Map<string, Recipient>();
  readonly #rooms = new Map<RoomName, Set<Recipient>>();
  readonly #lists = new Map<RoomName, readonly Recipient[]>();

  /** A socket that gets only what is for it by name, until it has come in. */
  add(id: string): void {
    this.#all.set(id, new Recipient(id));
  }

  /** The socket has come into the namespace. */
  cameIn(id: string): void {
    this.#enter(id, EVERYONE);
  }

  /** The socket has come into the rooms. */
  entered(id: string, rooms: Iterable<string>): void {
    for (const room of rooms) this.#enter(id, room);
  }

  /** The socket has left the rooms. */
  left(id: string, rooms: Iterable<string>): void {
    const recipient = this.#all.get(id);
    if (recipient !== undefined) for (const room of rooms) this.#exit(recipient, room);
  }

  /** The socket is gone. */
  removed(id: string): void {
    const recipient = this.#all.get(id);
    if (recipient === undefined) return;
    this.#all.delete(id);
    for (const room of recipient.rooms) this.#exit(recipient, room);
  }

  /** Whom a target names, each once. */
  of({ rooms, except }: Target): Iterable<Recipient> {
    if (rooms.length <= 1 && except.length === 0) return this.#list(rooms[0] ?? EVERYONE);

    const excepted = new Set(except.flatMap((room) => this.#list(room)));
    const named = rooms.length === 0 ? this.#list(EVERYONE) : rooms.flatMap((room) => this.#list(room));
    return new Set(named.filter((recipient) => !excepted.has(recipient)));
  }

  /** These very sockets, in whichever rooms they are. */
  withIds(ids: readonly string[]): Recipient[] {
    return ids.flatMap((id) => this.#all.get(id) ?? []);
  }

  #enter(id: string, room: RoomName): void {
    const recipient = this.#all.get(id);
    if (recipient === undefined) return;
    const members = this.#rooms.get(room);
    if (members === undefined) this.#rooms.set(room, new Set([recipient]));
    else members.add(recipient);
    recipient.rooms.add(room);
    this.#lists.delete(room);
  }

  #exit(recipient: Recipient, room: RoomName): void {
    const members = this.#rooms.get(room);
    members?.delete(recipient);
    if (members?.size === 0) this.#rooms.delete(room);
    recipient.rooms.delete(room);
    this.#lists.delete(room);
  }

  #list(room: RoomName): readonly Recipient[] {
    const known = this.#lists.get(room);
    if (known !== undefined) return known;
    const members = this.#rooms.get(room);
    if (members === undefined) return NOBODY;
    const list = [...members];
    this.#lists.set(room, list);
    return list;
  }
}
