// What other servers say, given its place in this box's order by its hub: then it is in order with what the box says
// itself, goes to the workers that it concerns, and is kept for clients that come back.

import { PUBLISH_FLAG, type Publication } from "../bus/hub-frames.ts";
import type { SocketsMove } from "../bus/hub-messages.ts";
import { toRoomName } from "../lib/room-name.ts";
import { decodeBroadcast, type ServerRequest, type WirePacket } from "./wire-format.ts";

/** The part of the hub that is used here. */
export interface Order {
  publish(publication: Publication, payload: Uint8Array): void;
  moveSockets(move: SocketsMove): void;
}

const EVENT = 2;
/** The hub's frames count bytes of a name, and names, in 16 bits. */
const MAX_NAME_LENGTH = 16_383;
const MAX_NAMES = 65_535;

/** Returns whether the hub could take it. */
export function orderBroadcast(order: Order, nsp: string, body: Buffer): boolean {
  const { packet, filter } = decodeBroadcast(body, nsp) ?? {};
  if (packet === undefined || filter === undefined) return false;
  const [rooms, except] = [namesOf(filter.rooms), namesOf(filter.except)];
  if (namesOf([nsp]) === undefined || rooms === undefined || except === undefined) return false;
  const flags = flagsOf(packet, filter.flags.volatile === true);
  order.publish({ flags, namespace: nsp, rooms, except, firstFrameBytes: 0 }, body);
  return true;
}

/** Returns whether it was a request for sockets to join or leave rooms, and the hub could take it. */
export function orderMove(order: Order, nsp: string, request: ServerRequest): boolean {
  if (request.kind !== "join" && request.kind !== "leave") return false;
  const { kind: operation, filter } = request;
  const [rooms, from, except] = [request.rooms, filter.rooms, filter.except].map(namesOf);
  if (rooms === undefined || from === undefined || except === undefined) return false;
  order.moveSockets({ namespace: nsp, operation, target: { rooms: from, except }, rooms });
  return true;
}

function flagsOf({ type, id }: WirePacket, isVolatile: boolean): number {
  const isKept = type === EVENT && id === undefined && !isVolatile;
  const kept = isKept ? PUBLISH_FLAG.recoverable : 0;
  return PUBLISH_FLAG.isForeign | kept | (isVolatile ? PUBLISH_FLAG.volatile : 0);
}

/** The names as the hub knows them: apps without types name rooms by number. `undefined` when there is no such name. */
function namesOf(given: readonly unknown[]): string[] | undefined {
  if (given.length > MAX_NAMES) return undefined;
  const names = given.map((name) => (typeof name === "number" ? toRoomName(name) : name));
  return names.every(isName) ? names : undefined;
}

function isName(name: unknown): name is string {
  return typeof name === "string" && name.length <= MAX_NAME_LENGTH;
}
