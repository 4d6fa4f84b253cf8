// Turns a Socket.IO packet into what travels through the hub: WebSocket frames, encoded once for all its recipients.

import type { Packet } from "socket.io-parser";
import { PUBLISH_FLAG } from "../bus/hub-frames.ts";
import { AFTER_POSITION, POSITION_DIGITS, stampPosition } from "../bus/position.ts";
import { decodeFrames, encodeBinaryFrame, encodeTextFrame } from "../lib/ws-frames.ts";
import { packPayload } from "./payload.ts";
import type { PacketEncoder, PacketParser } from "./socket-io-internals.ts";

export interface EncodedPacket {
  /** Of PUBLISH_FLAG: `hasPosition`, `isPacket`. */
  readonly flags: number;
  readonly firstFrameBytes: number;
  readonly payload: Buffer;
}

/** Stands where the digits of the position will be written: as long as they are, and nothing they can be. */
const NO_DIGITS = "?".repeat(POSITION_DIGITS);
/** How the text of an event ends whose last argument is the position. */
const TEXT_END = `-${NO_DIGITS}${AFTER_POSITION}`;

/** Encodes a packet; with an `epoch`, an event gets a place for its position there as its last argument. */
export function encodePacket(encoder: PacketEncoder, packet: Packet, epoch: string | undefined): EncodedPacket {
  if (epoch === undefined) return toFrames(encoder.encode(packet), 0);

  const parts = encoder.encode({ ...packet, data: [...packet.data, `${epoch}-${NO_DIGITS}`] });
  const [text] = parts;
  const canBeStamped = epoch !== "" && typeof text === "string" && text.endsWith(TEXT_END);
  if (canBeStamped) return toFrames(parts, PUBLISH_FLAG.hasPosition);
  // A parser of the app's own, or the hub has not said its epoch yet: the position can only be put in before encoding.
  return { flags: PUBLISH_FLAG.isPacket, firstFrameBytes: 0, payload: packPayload(packet) };
}

/** Encodes a packet that was sent as such, now that its position is known. */
export function encodeAtPosition(encoder: PacketEncoder, packet: Packet, position: string): Buffer {
  return toFrames(encoder.encode({ ...packet, data: [...packet.data, position] }), 0).payload;
}

/** Writes the sequence into frames that have a place for it. */
export function stampFrames({ firstFrameBytes, payload }: EncodedPacket, sequence: number): void {
  stampPosition(payload, firstFrameBytes, sequence);
}

/** The packet as its clients will see it: a copy that the app cannot change any more. Throws what the encoder throws. */
export function settlePacket(encoder: PacketEncoder, parser: PacketParser, packet: Packet): Packet {
  const { payload } = encodePacket(encoder, packet, undefined);
  return { ...decodePacket(parser, payload), type: packet.type };
}

/** Takes frames back to the packet they were made of. */
export function decodePacket(parser: PacketParser, frames: Buffer): Packet {
  const decoder = new parser.Decoder();
  let decoded: Packet | undefined;
  decoder.on("decoded", (packet) => {
    decoded = packet;
  });
  for (const part of decodeFrames(frames)) decoder.add(typeof part === "string" ? part.slice(1) : part);
  if (decoded === undefined) throw new TypeError("These frames hold no whole packet.");
  return decoded;
}

function toFrames(parts: ReturnType<PacketEncoder["encode"]>, flags: number): EncodedPacket {
  // "4" is the packet type of an Engine.IO message; binary messages have none.
  const frames = parts.map((part) =>
    typeof part === "string" ? encodeTextFrame(`4${part}`) : encodeBinaryFrame(part),
  );
  const [first = Buffer.alloc(0)] = frames;
  return { flags, firstFrameBytes: first.length, payload: frames.length === 1 ? first : Buffer.concat(frames) };
}
