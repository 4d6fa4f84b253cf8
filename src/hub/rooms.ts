// All rooms of the box, by namespace and name. A room exists while anybody is in it or may come back to it.

import { Room } from "./room.ts";

/** Stands for a namespace as a whole. A symbol: a room of an app can have any text as its name. */
export const EVERYONE: unique symbol = Symbol("everyone");

export type RoomName = string | typeof EVERYONE;

const ALL = [EVERYONE] as const;

export class Rooms {
  readonly #namespaces = new Map<string, Map<RoomName, Room>>();

  get count(): number {
    return [...this.#namespaces.values()].reduce((count, rooms) => count + rooms.size, 0);
  }

  get(namespace: string, name: RoomName): Room | undefined {
    return this.#namespaces.get(namespace)?.get(name);
  }

  /** The rooms that there are of those named; with none named, the one of the whole namespace. */
  named(namespace: string, names: readonly string[]): Room[] {
    const found: Room[] = [];
    const wanted: readonly RoomName[] = names.length > 0 ? names : ALL;
    for (const name of wanted) {
      const room = this.get(namespace, name);
      if (room !== undefined) found.push(room);
    }
    return found;
  }

  *entries(): Iterable<readonly [namespace: string, name: RoomName, room: Room]> {
    for (const [namespace, rooms] of this.#namespaces) for (const [name, room] of rooms) yield [namespace, name, room];
  }

  getOrAdd(namespace: string, name: RoomName): Room {
    let rooms = this.#namespaces.get(namespace);
    if (rooms === undefined) {
      rooms = new Map();
      this.#namespaces.set(namespace, rooms);
    }
    let room = rooms.get(name);
    if (room === undefined) {
      room = new Room();
      rooms.set(name, room);
    }
    return room;
  }

  /** Drops the room if nobody needs it any more. */
  tidy(namespace: string, name: RoomName): void {
    const rooms = this.#namespaces.get(namespace);
    if (rooms?.get(name)?.isEmpty !== true) return;
    rooms.delete(name);
    if (rooms.size === 0) this.#namespaces.delete(namespace);
  }
}
