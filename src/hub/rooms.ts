// All rooms of the box, by namespace and name. A room exists while anybody is in it or may come back to it.

import { Room } from "./room.ts";

/** Stands for a namespace as a whole. A symbol: a room of an app can have any text as its name. */
export const EVERYONE: unique symbol = Symbol("everyone");

export type RoomName = string | typeof EVERYONE;

export class Rooms {
  readonly #namespaces = new Map<string, Map<RoomName, Room>>();

  get count(): number {
    return [...this.#namespaces.values()].reduce((count, rooms) => count + rooms.size, 0);
  }

  get(namespace: string, name: RoomName): Room | undefined {
    return this.#namespaces.get(namespace)?.get(name);
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
