// The binary frames of the hub: a message to rooms, and the hub's word on where it stands in the box's order.
//
// A `publish` frame goes from a worker to the hub and, with its sequence number filled in, from the hub to the workers
// that have members. The bytes between are never decoded: they are the WebSocket frames that clients get.
//
//   u8 flags | u32 ticket | u48 sequence | u16 length, namespace | u16 n, n * (u16 length, room)
//   | u16 n, n * (u16 length, excepted room) | u32 length of the first WebSocket frame | payload
//
// A `passed` frame tells a worker that what it sent under `ticket` (and all before) has its place: u32 ticket | u48 sequence

import { AllcoresError } from "../errors.ts";
import { encodeFrame } from "./frames.ts";

export const HUB_KIND = { publish: 16, passed: 17 } as const;

export const PUBLISH_FLAG = {
  /** Kept for clients that come back. */
  recoverable: 1,
  /** Clients that are not ready miss it. */
  volatile: 2,
  /** The first WebSocket frame ends with a position that is filled in. */
  hasPosition: 4,
  /** The payload is not WebSocket frames but a serialized packet: the app uses a parser of its own. */
  isPacket: 8,
} as const;

const FLAGS_AT = 0;
const TICKET_AT = 1;
const SEQUENCE_AT = 5;
const NAMESPACE_AT = 11;

export interface Publication {
  readonly flags: number;
  readonly ticket: number;
  readonly namespace: string;
  readonly rooms: readonly string[];
  readonly except: readonly string[];
  /** Length of the WebSocket frame at the start of the payload that ends with the position. */
  readonly firstFrameBytes: number;
  readonly payload: Buffer;
}

/** Builds a whole publish frame, its sequence still 0. */
export function encodePublish(publication: Publication): Buffer {
  const { flags, ticket, namespace, rooms, except, firstFrameBytes, payload } = publication;
  const bytes = NAMESPACE_AT + textBytes(namespace) + listBytes(rooms) + listBytes(except) + 4 + payload.length;
  const body = Buffer.allocUnsafe(bytes);
  body.writeUInt8(flags, FLAGS_AT);
  body.writeUInt32BE(ticket, TICKET_AT);
  body.writeUIntBE(0, SEQUENCE_AT, 6);
  let at = writeText(body, NAMESPACE_AT, namespace);
  at = writeList(body, at, rooms);
  at = writeList(body, at, except);
  at = body.writeUInt32BE(firstFrameBytes, at);
  payload.copy(body, at);
  return encodeFrame(HUB_KIND.publish, body);
}

/** Takes a publish frame apart. The payload is a view. Throws `ALLCORES_ERR_BUS_FRAME`. */
export function decodePublish(body: Buffer): Publication {
  try {
    const namespace = readText(body, NAMESPACE_AT);
    const rooms = readList(body, namespace.end);
    const except = readList(body, rooms.end);
    return {
      flags: body.readUInt8(FLAGS_AT),
      ticket: body.readUInt32BE(TICKET_AT),
      namespace: namespace.value,
      rooms: rooms.value,
      except: except.value,
      firstFrameBytes: body.readUInt32BE(except.end),
      payload: body.subarray(except.end + 4),
    };
  } catch (error) {
    throw new AllcoresError("ALLCORES_ERR_BUS_FRAME", "The hub got a malformed publish frame.", { cause: error });
  }
}

export function sequenceOf(body: Buffer): number {
  return body.readUIntBE(SEQUENCE_AT, 6);
}

/** Writes the sequence into a publish frame's body, in place. */
export function stampSequence(body: Buffer, sequence: number): void {
  body.writeUIntBE(sequence, SEQUENCE_AT, 6);
}

export function encodePassed(ticket: number, sequence: number): Buffer {
  const body = Buffer.allocUnsafe(10);
  body.writeUInt32BE(ticket, 0);
  body.writeUIntBE(sequence, 4, 6);
  return encodeFrame(HUB_KIND.passed, body);
}

export function decodePassed(body: Buffer): { ticket: number; sequence: number } {
  if (body.length !== 10) throw new AllcoresError("ALLCORES_ERR_BUS_FRAME", "The hub sent a malformed passed frame.");
  return { ticket: body.readUInt32BE(0), sequence: body.readUIntBE(4, 6) };
}

function textBytes(text: string): number {
  return 2 + Buffer.byteLength(text);
}

function listBytes(texts: readonly string[]): number {
  return texts.reduce((bytes, text) => bytes + textBytes(text), 2);
}

function writeText(body: Buffer, at: number, text: string): number {
  const bytes = body.write(text, at + 2);
  if (bytes > 0xffff) throw new AllcoresError("ALLCORES_ERR_BUS_FRAME", `A room name of ${bytes} bytes is too long.`);
  body.writeUInt16BE(bytes, at);
  return at + 2 + bytes;
}

function writeList(body: Buffer, at: number, texts: readonly string[]): number {
  if (texts.length > 0xffff) {
    throw new AllcoresError("ALLCORES_ERR_BUS_FRAME", `A message to ${texts.length} rooms names too many.`);
  }
  let end = body.writeUInt16BE(texts.length, at);
  for (const text of texts) end = writeText(body, end, text);
  return end;
}

function readText(body: Buffer, at: number): { value: string; end: number } {
  const end = at + 2 + body.readUInt16BE(at);
  if (end > body.length) throw new RangeError("text runs past the end");
  return { value: body.toString("utf8", at + 2, end), end };
}

function readList(body: Buffer, at: number): { value: string[]; end: number } {
  const value: string[] = [];
  let end = at + 2;
  for (let left = body.readUInt16BE(at); left > 0; left--) {
    const text = readText(body, end);
    value.push(text.value);
    end = text.end;
  }
  return { value, end };
}
