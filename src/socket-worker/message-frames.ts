// The frames that clients of one namespace get: of packets of our own, encoded once and completed with their position when
// that is known, and of what came over the hub.

import type { Namespace } from "socket.io";
import type { BroadcastFlags } from "socket.io-adapter";
import { type Packet, PacketType } from "socket.io-parser";
import { type DecodedPublication, PUBLISH_FLAG, sequenceOf } from "../bus/hub-frames.ts";
import { formatPosition } from "../bus/position.ts";
import { decodeBroadcast } from "../fanout/wire-format.ts";
import type { BoxBus } from "./box-bus.ts";
import type { WireMessage } from "./delivery.ts";
import { type EncodedPacket, encodeAtPosition, encodePacket, settlePacket, stampFrames } from "./packet-encoding.ts";
import { unpackPayload } from "./payload.ts";
import { canRecover, serverInternals } from "./socket-io-internals.ts";

export class MessageFrames {
  readonly #nsp: Namespace;
  readonly #bus: BoxBus;

  constructor(nsp: Namespace, bus: BoxBus) {
    this.#nsp = nsp;
    this.#bus = bus;
  }

  encode(packet: Packet, withPosition: boolean): EncodedPacket {
    return encodePacket(serverInternals(this.#nsp).encoder, packet, withPosition ? this.#bus.epoch : undefined);
  }

  /** The packet as it is now, whatever becomes of what the app put into it. */
  settle(packet: Packet): Packet {
    const { encoder, _parser: parser } = serverInternals(this.#nsp);
    return settlePacket(encoder, parser, { ...packet, nsp: this.#nsp.name });
  }

  /** What our clients get of a packet of our own. */
  framesAt(encoded: EncodedPacket, packet: Packet, sequence: number): Buffer {
    if (encoded.flags & PUBLISH_FLAG.isPacket) {
      const position = formatPosition({ epoch: this.#bus.epoch, sequence });
      return encodeAtPosition(serverInternals(this.#nsp).encoder, packet, position);
    }
    if (encoded.flags & PUBLISH_FLAG.hasPosition) stampFrames(encoded, sequence);
    return encoded.payload;
  }

  /** The packet as one message, at the place the worker is at now. */
  messageHere(packet: Packet): WireMessage {
    const encoded = this.encode(packet, canRecover(this.#nsp));
    return wireMessage(this.framesAt(encoded, packet, this.#bus.link.sequence));
  }

  /** What clients get of a publication. The hub has written the position into frames; a packet still lacks it. */
  messageOf({ flags, payloadAt }: DecodedPublication, frame: Buffer): WireMessage {
    const isVolatile = (flags & PUBLISH_FLAG.volatile) !== 0;
    const payload = frame.subarray(payloadAt);
    const packet = this.#packetIn(flags, payload);
    if (packet === undefined) return { frames: payload, isVolatile, compress: undefined };
    const encoded = this.encode(packet, canRecover(this.#nsp) && packet.type === PacketType.EVENT);
    return { frames: this.framesAt(encoded, packet, sequenceOf(frame)), isVolatile, compress: undefined };
  }

  /** `undefined` when the payload is frames already. */
  #packetIn(flags: number, payload: Buffer): Packet | undefined {
    if (flags & PUBLISH_FLAG.isPacket) return unpackPayload<Packet>(payload);
    if (flags & PUBLISH_FLAG.isForeign) return decodeBroadcast(payload, this.#nsp.name)?.packet as Packet | undefined;
    return undefined;
  }
}

export function wireMessage(frames: Buffer, flags: BroadcastFlags = {}): WireMessage {
  return { frames, isVolatile: flags.volatile === true, compress: flags.compress };
}
