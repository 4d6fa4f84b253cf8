// Rooms as the adapter is given them, with text for names. Nearly all apps name them so: then nothing is copied.

import type { BroadcastOptions } from "socket.io-adapter";
import { toRoomName } from "../lib/room-name.ts";

export function namedRooms(rooms: Set<string>): Set<string> {
  for (const room of rooms) if (typeof room !== "string") return new Set(Array.from(rooms, toRoomName));
  return rooms;
}

/** The options, with such rooms and exceptions. */
export function withNamedRooms(options: BroadcastOptions): BroadcastOptions {
  const rooms = namedRooms(options.rooms);
  const except = options.except && namedRooms(options.except);
  if (rooms === options.rooms && except === options.except) return options;
  return { ...options, rooms, ...(except && { except }) };
}
