// A message's way through a worker: encoded and published, then delivered to our clients at the place in the order that
// the hub gives it, as one of another worker is.

import type { Namespace, Socket } from "socket.io";
import type { BroadcastOptions } from "socket.io-adapter";
import { type Packet, PacketType } from "socket.io-parser";
import { type DecodedPublication, PUBLISH_FLAG } from "../bus/hub-frames.ts";
import type { BoxBus } from "./box-bus.ts";
import type { WireMessage } from "./delivery.ts";
import type { HeldSockets } from "./held-sockets.ts";
import { MessageFrames, wireMessage } from "./message-frames.ts";
import { decodePacket } from "./packet-encoding.ts";
import type { Recipient, Recipients, Target } from "./recipients.ts";
import { canRecover, serverInternals, socketInternals } from "./socket-io-internals.ts";

export interface RoomMessagesOptions {
  readonly nsp: Namespace;
  readonly bus: BoxBus;
  readonly recipients: Recipients;
  readonly held: HeldSockets;
}

export class RoomMessages {
  readonly frames: MessageFrames;
  readonly #nsp: Namespace;
  readonly #bus: BoxBus;
  readonly #recipients: Recipients;
  readonly #held: HeldSockets;

  constructor({ nsp, bus, recipients, held }: RoomMessagesOptions) {
    this.frames = new MessageFrames(nsp, bus);
    this.#nsp = nsp;
    this.#bus = bus;
    this.#recipients = recipients;
    this.#held = held;
  }

  broadcast(packet: Packet, options: BroadcastOptions): void {
    packet.nsp = this.#nsp.name;
    const flags = options.flags ?? {};
    const isEvent = packet.type === PacketType.EVENT && packet.id === undefined;
    const withPosition = isEvent && canRecover(this.#nsp);
    const isForOwnSocket = flags.local === true || this.#isForOneOfOurs(options);
    const isKept = withPosition && flags.volatile !== true && flags.local !== true;
    if (isForOwnSocket && !isKept) this.#deliverInOrder(packet, options, withPosition);
    else this.#publish(packet, options, withPosition, isKept);
  }

  #isForOneOfOurs({ rooms }: BroadcastOptions): boolean {
    if (rooms.size !== 1) return false;
    const [only = ""] = rooms;
    return this.#nsp.sockets.has(only);
  }

  /** Takes no place of its own in the order, but waits for what was published before. */
  #deliverInOrder(packet: Packet, options: BroadcastOptions, withPosition: boolean): void {
    const encoded = this.frames.encode(packet, withPosition);
    this.#bus.link.inOrder(() => {
      const frames = this.frames.framesAt(encoded, packet, this.#bus.link.sequence);
      this.#deliver(this.#recipients.of(targetOf(options)), wireMessage(frames, options.flags), packet);
      this.#bus.delivery.flush();
    });
  }

  #publish(packet: Packet, options: BroadcastOptions, withPosition: boolean, isKept: boolean): void {
    const encoded = this.frames.encode(packet, withPosition);
    const isVolatile = options.flags?.volatile === true;
    const flags = encoded.flags | (isKept ? PUBLISH_FLAG.recoverable : 0) | (isVolatile ? PUBLISH_FLAG.volatile : 0);
    const target = targetOf(options);
    const { firstFrameBytes, payload } = encoded;
    const publication = { flags, namespace: this.#nsp.name, ...target, firstFrameBytes };
    this.#bus.link.publish(publication, payload, (sequence) => {
      const frames = this.frames.framesAt(encoded, packet, sequence);
      this.#deliver(this.#recipients.of(target), wireMessage(frames, options.flags), packet);
    });
  }

  /** A message from another worker, at its place. */
  onPublication(publication: DecodedPublication, frame: Buffer): void {
    this.#deliver(this.#recipients.of(publication), this.frames.messageOf(publication, frame), undefined);
  }

  #deliver(recipients: Iterable<Recipient>, message: WireMessage, packet: Packet | undefined): void {
    const { delivery } = this.#bus;
    for (const recipient of recipients) {
      if (this.#held.keep(recipient.id, message)) continue;
      const socket = recipient.socketIn(this.#nsp);
      if (socket === undefined) continue;
      this.#notifyOutgoing(socket, message, packet);
      delivery.send(recipient.outboxIn(delivery, socket), message);
    }
  }

  /** The only place where a message from elsewhere is decoded. */
  #notifyOutgoing(socket: Socket, { frames }: WireMessage, packet: Packet | undefined): void {
    const internals = socketInternals(socket);
    if (!internals._anyOutgoingListeners?.length) return;
    internals.notifyOutgoingListeners(packet ?? decodePacket(serverInternals(this.#nsp)._parser, frames));
  }

  /** Delivers to one socket of ours, whether it is held or not. */
  deliverTo(socket: Socket, message: WireMessage): void {
    const { delivery } = this.#bus;
    this.#notifyOutgoing(socket, message, undefined);
    delivery.replay(delivery.outboxOf(socket), message);
  }

  /** Sends an event to sockets of ours at the place the worker is at now, past all that stands in line for a later one. */
  emitHere(ids: readonly string[], event: string, value: unknown): void {
    const packet: Packet = { type: PacketType.EVENT, nsp: this.#nsp.name, data: [event, value] };
    this.#deliver(this.#recipients.withIds(ids), this.frames.messageHere(packet), packet);
  }

  /** What a socket of ours gets from here on waits until what its app says to it in this turn is out. */
  holdBack(id: string): void {
    const held = this.#held.holdBack(id);
    if (held === undefined) return;
    const letGo = (): void => {
      const socket = this.#nsp.sockets.get(id);
      for (const message of this.#held.letGo(id, held)) if (socket !== undefined) this.deliverTo(socket, message);
      this.#bus.delivery.flush();
    };
    setImmediate(() => this.#bus.link.inOrder(letGo));
  }
}

function targetOf({ rooms, except }: BroadcastOptions): Target {
  return { rooms: [...rooms], except: except === undefined ? [] : [...except] };
}
