// Joins Socket.IO to the box's own hub in one worker: the adapter, the way to the hub, and the order of what goes
// to a client by other ways than the adapter.

import { setImmediate } from "node:timers/promises";
import { type Namespace, Socket } from "socket.io";
import { type Packet, PacketType } from "socket.io-parser";
import type { BusConnection } from "../bus/connection.ts";
import type { BusMessage } from "../bus/messages.ts";
import { leavingSockets } from "../lib/leaving-sockets.ts";
import { DIFF_EVENT, type DiffWay } from "../presence/diff-way.ts";
import { BoxAdapter } from "./box-adapter.ts";
import { BoxBus, type RestoreCounts } from "./box-bus.ts";
import { Delivery, type DeliveryOptions } from "./delivery.ts";
import { HubLink } from "./hub-link.ts";
import { serverInternals } from "./socket-io-internals.ts";

export interface BoxIoOptions extends DeliveryOptions, RestoreCounts {
  readonly bus: BusConnection;
}

export interface BoxIo {
  /** Give this to Socket.IO as its `adapter`. */
  readonly Adapter: new (
    nsp: Namespace,
  ) => BoxAdapter;
  /** Takes what comes over the bus. */
  readonly handle: (message: BusMessage, body: Buffer) => void;
  /** Resolves when all that this worker has to say has its place. */
  readonly settle: () => Promise<void>;
  /** Presence, in order with messages. */
  readonly diffWay: DiffWay;
}

export function createBoxIo(options: BoxIoOptions): BoxIo {
  const link = new HubLink(options.bus);
  const bus = new BoxBus(link, new Delivery(options), options);
  watchSockets(bus);
  return {
    Adapter: class extends BoxAdapter {
      constructor(nsp: Namespace) {
        super(nsp, bus);
      }
    },
    handle: (message, body) => link.handle(message, body),
    settle: async () => {
      await untilPassed(link);
      // What stood in line for that may have said something in turn.
      await setImmediate();
      await untilPassed(link);
    },
    diffWay: {
      send: (sockets, diff) => {
        const ids = sockets.map(({ id }) => id);
        bus.adapterOf(sockets[0]?.nsp.name ?? "")?.messages.emitHere(ids, DIFF_EVENT, diff);
      },
      afterTurn: (act) => queueMicrotask(() => link.send({ type: "hub:sync" }, act)),
      holdBack: ({ id, nsp }) => bus.adapterOf(nsp.name)?.messages.holdBack(id),
    },
  };
}

function untilPassed(link: HubLink): Promise<void> {
  return new Promise((resolve) => link.send({ type: "hub:sync" }, () => resolve()));
}

interface SocketPrototype {
  _onpacket(packet: unknown): void;
  packet(packet: Packet, options?: object): void;
  disconnect(close?: boolean): Socket;
}

/**
 * What Socket.IO sends to one client past the adapter (acks, CONNECT, DISCONNECT, `socket.emit` without recovery) waits
 * for what was published before it, and what a client sends may change its `socket.data`. This process has one box, so
 * the prototype is the place.
 */
function watchSockets({ link, delivery }: BoxBus): void {
  const prototype = Socket.prototype as unknown as SocketPrototype;
  const { packet, disconnect, _onpacket: onPacket } = prototype;
  /** Set while a disconnect happens at its place: the packets it sends are at theirs. */
  let isInPlace = false;

  prototype.packet = function (this: Socket, given, givenOptions) {
    const send = (sent: Packet, options: object | undefined): void => {
      delivery.flush();
      packet.call(this as unknown as SocketPrototype, sent, options);
      const { adapter } = this.nsp;
      if (sent.type === PacketType.CONNECT && adapter instanceof BoxAdapter) adapter.returning.onConnected(this);
    };
    if (isInPlace || link.isClear) {
      send(given, givenOptions);
      return;
    }
    // What has to wait is encoded as it is now: the app may change it, and must hear from here that it cannot be sent.
    const encoded = encodeAhead(this, given);
    link.inOrder(() => send(encoded, { ...givenOptions, preEncoded: true }));
  };

  prototype._onpacket = function (this: Socket, received) {
    if (leavingSockets.has(this)) return;
    onPacket.call(this as unknown as SocketPrototype, received);
    const { adapter } = this.nsp;
    if (adapter instanceof BoxAdapter) adapter.returning.onHandled(this);
  };

  prototype.disconnect = function (this: Socket, close) {
    if (!this.connected) return this;
    leavingSockets.add(this);
    link.inOrder(() => {
      leavingSockets.delete(this);
      const wasInPlace = isInPlace;
      isInPlace = true;
      try {
        delivery.flush();
        disconnect.call(this as unknown as SocketPrototype, close);
      } finally {
        isInPlace = wasInPlace;
      }
    });
    return this;
  };
}

/** What `preEncoded` asks for instead of a packet, and still one for those who look at its type. */
function encodeAhead({ nsp }: Socket, packet: Packet): Packet {
  const parts = serverInternals(nsp).encoder.encode({ ...packet, nsp: nsp.name });
  return Object.assign(parts, { type: packet.type }) as unknown as Packet;
}
