// Finds out which clients wait for an ack. Socket.IO has no event for it, so two of its methods are wrapped.

import { Socket } from "socket.io";
import { PacketType } from "socket.io-parser";
import type { ClientWork } from "./client-work.ts";

interface SocketPrototype {
  /** Makes the function that an event's handler answers with. */
  ack(id: number): (...args: unknown[]) => void;
  packet(packet: { readonly type: PacketType }, options?: object): void;
}

/**
 * Call it before anything else that wraps `packet`: an ack is sent only when the innermost `packet` was called.
 * This process has one server, so the prototype is the place.
 */
export function watchAcks(work: ClientWork): void {
  const prototype = Socket.prototype as unknown as SocketPrototype;
  const { ack, packet } = prototype;

  prototype.ack = function (this: Socket, id) {
    work.begin(this.conn);
    return ack.call(this as unknown as SocketPrototype, id);
  };

  prototype.packet = function (this: Socket, sent, options) {
    packet.call(this as unknown as SocketPrototype, sent, options);
    if (sent.type === PacketType.ACK) work.end(this.conn);
  };
}
