// The messages of @socket.io/redis-adapter 8, byte for byte: what a server of that kind, an emitter and a box exchange.
//
//   broadcast   msgpack  [uid, packet, { rooms, except, flags }]
//   request     JSON     { uid, requestId?, type, ... }        msgpack when it carries a packet (emitWithAck)
//   response    JSON     { requestId, ... }                    msgpack when it carries a client's ack
//
// What comes in is another program's: everything is narrowed here, and what does not fit is `undefined`.

import { decode, encode } from "notepack.io";

/** The adapter's numbers for what a request wants. */
export const REQUEST_TYPE = {
  sockets: 0,
  allRooms: 1,
  join: 2,
  leave: 3,
  disconnect: 4,
  fetchSockets: 5,
  serverSideEmit: 6,
  broadcast: 7,
  clientCount: 8,
  clientAck: 9,
} as const;

/** A packet of socket.io-parser that another server made. */
export interface WirePacket {
  readonly type: number;
  readonly data: unknown[];
  readonly nsp: string;
  /** Given by the adapter that sends it to clients and wants their acks. */
  readonly id?: number;
}

/** Which sockets are meant: members of any of `rooms` (of none: everybody) but members of `except`. */
export interface Filter {
  readonly rooms: readonly string[];
  readonly except: readonly string[];
  readonly flags: Readonly<Record<string, unknown>>;
}

/** A request, and who asks. Without `requestId` no answer is wanted; an emitter has neither. */
export type ServerRequest = { readonly uid: string | undefined; readonly requestId: string | undefined } & (
  | { readonly kind: "sockets" | "fetchSockets"; readonly filter: Filter }
  | { readonly kind: "allRooms" }
  | { readonly kind: "join" | "leave"; readonly filter: Filter; readonly rooms: readonly string[] }
  | { readonly kind: "disconnect"; readonly filter: Filter; readonly close: boolean }
  | { readonly kind: "serverSideEmit"; readonly data: readonly unknown[] }
  | { readonly kind: "broadcast"; readonly packet: WirePacket; readonly filter: Filter }
);

const KIND_BY_TYPE = new Map(Object.entries(REQUEST_TYPE).map(([kind, type]) => [type as number, kind]));
const OPENING_BRACE = 0x7b;

/** Throws when the packet holds something that msgpack cannot carry. */
export function encodeMsgpack(value: unknown): Buffer {
  return encode(value) as Buffer;
}

/** JSON or msgpack, whichever it is; `undefined` when it is neither. */
export function decodeEither(body: Buffer): unknown {
  try {
    return body[0] === OPENING_BRACE ? JSON.parse(body.toString()) : decode(body);
  } catch {
    return undefined;
  }
}

export function decodeBroadcast(body: Buffer, nsp: string): { packet: WirePacket; filter: Filter } | undefined {
  const value = decodeEither(body);
  if (!Array.isArray(value)) return undefined;
  return withPacket(value[1], nsp, toFilter(value[2]));
}

export function decodeRequest(body: Buffer, nsp: string): ServerRequest | undefined {
  const value = decodeEither(body);
  if (!isRecord(value)) return undefined;
  const asker = { uid: toText(value.uid), requestId: toText(value.requestId) };
  const wish = toWish(KIND_BY_TYPE.get(value.type as number), value, nsp);
  return wish && { ...asker, ...wish };
}

type Wish = ServerRequest extends infer R ? (R extends ServerRequest ? Omit<R, "uid" | "requestId"> : never) : never;

function toWish(kind: string | undefined, value: Record<string, unknown>, nsp: string): Wish | undefined {
  if (kind === "allRooms") return { kind };
  if (kind === "serverSideEmit") return Array.isArray(value.data) ? { kind, data: value.data } : undefined;

  const filter = toFilter(value.opts ?? { rooms: value.rooms ?? [value.sid] });
  if (filter === undefined) return undefined;
  switch (kind) {
    case "sockets":
    case "fetchSockets":
      return { kind, filter };
    case "join":
    case "leave": {
      const { rooms = [value.room] } = value;
      return Array.isArray(rooms) ? { kind, filter, rooms } : undefined;
    }
    case "disconnect":
      return { kind, filter, close: value.close === true };
    case "broadcast": {
      const decoded = withPacket(value.packet, nsp, filter);
      return decoded && { kind, ...decoded };
    }
    default:
      return undefined;
  }
}

/** A response of another server; one client's ack is the only kind that is not JSON. */
export function decodeResponse(body: Buffer): { requestId: string; isClientAck: boolean; value: object } | undefined {
  const value = decodeEither(body);
  if (!isRecord(value) || typeof value.requestId !== "string") return undefined;
  const isClientAck = value.type === REQUEST_TYPE.clientAck;
  const isJson = body[0] === OPENING_BRACE;
  return isClientAck === isJson ? undefined : { requestId: value.requestId, isClientAck, value };
}

function withPacket(value: unknown, nsp: string, filter: Filter | undefined) {
  if (filter === undefined || !isRecord(value) || typeof value.type !== "number") return undefined;
  const { type, data, nsp: named = "/" } = value;
  return named === nsp && Array.isArray(data) ? { packet: { ...value, type, data, nsp }, filter } : undefined;
}

/**
 * A filter without rooms means everybody, so what has no list of rooms is refused, not taken for one.
 * Apps without types name rooms by number, and a number is what travels then: names are passed on as they are.
 */
function toFilter(value: unknown): Filter | undefined {
  const { rooms, except = [], flags } = isRecord(value) ? value : {};
  if (!Array.isArray(rooms) || !Array.isArray(except)) return undefined;
  return { rooms, except, flags: isRecord(flags) ? flags : {} };
}

function toText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
