// The binary frames of the hub: a message to rooms, and the hub's word on where it stands in the box's order.
//
// A `publish` frame goes from a worker to the hub and, with its sequence number filled in, from the hub to the workers
// that have members. The bytes between are never decoded: they are the WebSocket frames that clients get.
//
//   u8 flags | u32 ticket | u48 sequence | u16 length, namespace | u16 n, n * (u16 length, room)
//   | u16 n, n * (u16 length, excepted room) | u32 length of the first WebSocket frame | payload
//
// A `passed` frame tells a worker where in the order what it sent has its place: n * (u32 ticket | u48 sequence), for that
// ticket and all before it that have not been told of.
//
// Frames are handled whole, header and all: what comes from one connection goes on to another as it is.

import { AllcoresError } from "../errors.ts";
import { allocateFrame, HEADER_BYTES } from "./frames.ts";

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
  /** The payload is a broadcast of another server, as it came from there. */
  isForeign: 16,
} as const;

const FLAGS_AT = HEADER_BYTES;
const TICKET_AT = FLAGS_AT + 1;
const SEQUENCE_AT = TICKET_AT + 4;
const NAMESPACE_AT = SEQUENCE_AT + 6;
/** A ticket and a sequence. */
const PLACE_BYTES = 10;

export interface Publication {
  readonly flags: number;
  readonly namespace: string;
  readonly rooms: readonly string[];
  readonly except: readonly string[];
  /** Length of the WebSocket frame at the start of the payload that ends with the position. */
  readonly firstFrameBytes: number;
}

/** A publication as it was found in a frame, with the place of its payload there: a view costs more than two numbers. */
export interface DecodedPublication extends Publication {
  readonly ticket: number;
  readonly payloadAt: number;
}

/** Builds a whole publish frame, its sequence still 0. */
export function encodePublish(publication: Publication, ticket: number, payload: Uint8Array): Buffer {
  const { flags, namespace, rooms, except, firstFrameBytes } = publication;
  const start = NAMESPACE_AT - HEADER_BYTES;
  const bytes = start + textBytes(namespace) + listBytes(rooms) + listBytes(except) + 4 + payload.length;
  const frame = allocateFrame(HUB_KIND.publish, bytes);
  frame[FLAGS_AT] = flags;
  frame.writeUInt32BE(ticket, TICKET_AT);
  frame.fill(0, SEQUENCE_AT, NAMESPACE_AT);
  let at = writeText(frame, NAMESPACE_AT, namespace);
  at = writeList(frame, at, rooms);
  at = writeList(frame, at, except);
  at = frame.writeUInt32BE(firstFrameBytes, at);
  frame.set(payload, at);
  return frame;
}

/** Takes a publish frame apart. Throws `ALLCORES_ERR_BUS_FRAME`. */
export function decodePublish(frame: Buffer): DecodedPublication {
  try {
    const reader = new Reader(frame, NAMESPACE_AT);
    return {
      flags: frame.readUInt8(FLAGS_AT),
      ticket: frame.readUInt32BE(TICKET_AT),
      namespace: reader.text(),
      rooms: reader.list(),
      except: reader.list(),
      firstFrameBytes: reader.u32(),
      payloadAt: reader.at,
    };
  } catch (error) {
    throw new AllcoresError("ALLCORES_ERR_BUS_FRAME", "The hub got a malformed publish frame.", { cause: error });
  }
}

export function sequenceOf(frame: Buffer): number {
  return frame.readUIntBE(SEQUENCE_AT, 6);
}

/** Writes the sequence into a publish frame, in place. */
export function stampSequence(frame: Buffer, sequence: number): void {
  frame.writeUIntBE(sequence, SEQUENCE_AT, 6);
}

/** One thing of a worker's that has its place in the order, and all before it. */
export interface Place {
  readonly ticket: number;
  readonly sequence: number;
}

export function encodePassed(places: readonly Place[]): Buffer {
  const frame = allocateFrame(HUB_KIND.passed, places.length * PLACE_BYTES);
  let at = HEADER_BYTES;
  for (const { ticket, sequence } of places) {
    frame.writeUInt32BE(ticket, at);
    frame.writeUIntBE(sequence, at + 4, 6);
    at += PLACE_BYTES;
  }
  return frame;
}

/** Hands the places of a `passed` frame to `onPlace`, in order. Throws `ALLCORES_ERR_BUS_FRAME`. */
export function decodePassed(frame: Buffer, onPlace: (ticket: number, sequence: number) => void): void {
  if ((frame.length - HEADER_BYTES) % PLACE_BYTES !== 0) {
    throw new AllcoresError("ALLCORES_ERR_BUS_FRAME", "The hub sent a malformed passed frame.");
  }
  for (let at = HEADER_BYTES; at < frame.length; at += PLACE_BYTES) {
    onPlace(frame.readUInt32BE(at), frame.readUIntBE(at + 4, 6));
  }
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

class Reader {
  readonly #frame: Buffer;
  at: number;

  constructor(frame: Buffer, at: number) {
    this.#frame = frame;
    this.at = at;
  }

  u16(): number {
    const value = this.#frame.readUInt16BE(this.at);
    this.at += 2;
    return value;
  }

  u32(): number {
    const value = this.#frame.readUInt32BE(this.at);
    this.at += 4;
    return value;
  }

  text(): string {
    const bytes = this.u16();
    const start = this.at;
    this.at += bytes;
    if (this.at > this.#frame.length) throw new RangeError("text runs past the end");
    return this.#frame.toString("utf8", start, this.at);
  }

  list(): string[] {
    const texts: string[] = [];
    for (let left = this.u16(); left > 0; left--) texts.push(this.text());
    return texts;
  }
}
