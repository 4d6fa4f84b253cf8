// The one form a room's name has in the box: text. Apps without types name rooms by number, which Socket.IO keeps as it is,
// so that room 5 is another one than room "5". Here both are room "5".

import { AllcoresError } from "../errors.ts";

/** Throws `ALLCORES_ERR_ROOM_NAME` for what has no text of its own: all plain objects would share one room. */
export function toRoomName(room: unknown): string {
  if (typeof room === "string") return room;
  if (typeof room === "symbol" || typeof room === "function" || (typeof room === "object" && room !== null)) {
    throw new AllcoresError(
      "ALLCORES_ERR_ROOM_NAME",
      `A room was named by a value of type ${typeof room}. Name it by a string or a number, the object's id for example.`,
    );
  }
  return String(room);
}
