// Clients that come back: what is kept of a socket whose connection is lost, and how a new one takes its place. A restored
// socket hears nothing before its client has been told CONNECT, when authentication has let it in again.

import type { Namespace, Socket } from "socket.io";
import type { Session } from "socket.io-adapter";
import { type Packet, PacketType } from "socket.io-parser";
import { decodePublish } from "../bus/hub-frames.ts";
import type { HubRestoredMessage } from "../bus/hub-messages.ts";
import type { BoxBus } from "./box-bus.ts";
import type { HeldSockets } from "./held-sockets.ts";
import type { OwnSockets } from "./own-sockets.ts";
import { unpackPayload } from "./payload.ts";
import type { Recipients } from "./recipients.ts";
import type { RoomMessages } from "./room-messages.ts";
import { canRecover, findSocket, socketInternals } from "./socket-io-internals.ts";

export interface ReturningClientsOptions {
  readonly nsp: Namespace;
  readonly bus: BoxBus;
  readonly held: HeldSockets;
  readonly own: OwnSockets;
  readonly recipients: Recipients;
  readonly messages: RoomMessages;
  /** Puts a socket into rooms that the hub has it in already. */
  readonly enter: (id: string, rooms: Set<string>) => void;
  readonly roomsOf: (id: string) => Iterable<string>;
}

/** The event that gives a new client its first position. Stock clients take it from the event's last argument. */
const POSITION_EVENT = "allcores:position";

export class ReturningClients {
  readonly #options: ReturningClientsOptions;
  /** Sockets whose client may come back, between their `persistSession` and the end of their rooms. */
  readonly #persisted = new Set<string>();

  constructor(options: ReturningClientsOptions) {
    this.#options = options;
  }

  persist({ sid, data }: Pick<Session, "sid" | "data">): void {
    this.#persisted.add(sid);
    this.#options.own.saveData(sid, data);
  }

  /** The socket is gone. Returns whether its client may come back for it. */
  end(id: string): boolean {
    // A restored client that never got as far as CONNECT may try again.
    return this.#persisted.delete(id) || this.#options.held.isRestored(id);
  }

  restore(pid: string, position: string): Promise<Session> {
    const { nsp, bus, own } = this.#options;
    const key = bus.nextKey();
    const restored = new Promise<Session | null>((resolve) => {
      bus.restore({ key, namespace: nsp.name, pid, position }, (message, body) => {
        resolve(this.#onRestored(pid, message, body));
      });
    });
    // Socket.IO's type has no "none", its code does: `null` means that the client starts afresh. So does one whose session
    // has gone to another connection in the very chunk that brought it.
    const ifStillIts = (session: Session | null) => (session && own.keyOf(session.sid) === key ? session : null);
    return restored.then(ifStillIts) as Promise<Session>;
  }

  #onRestored(pid: string, { key, outcome, parts }: HubRestoredMessage, body: Buffer): Session | null {
    if (typeof outcome === "string") return null;
    const { nsp, held, own, recipients, messages, enter, roomsOf } = this.#options;
    const { sid, rooms } = outcome;
    // An earlier return to this worker, which the hub has given up, and whose Socket was not there yet to be closed.
    if (own.keyOf(sid) !== undefined) nsp.adapter.delAll(sid);
    const [data, ...missed] = cut(Buffer.from(body), parts);
    const waiting = missed.map((part) => messages.frames.messageOf(decodePublish(part), part));
    own.restored(sid, key);
    held.holdRestored(sid, waiting);
    // At once: the next message of this very chunk may be for it, and its Socket is not there yet to join.
    enter(sid, new Set(rooms));
    recipients.add(sid);
    recipients.cameIn(sid);
    recipients.entered(sid, rooms);
    return {
      sid: sid as Session["sid"],
      pid: pid as Session["pid"],
      // As they are when its Socket is made: it may have been moved by then.
      get rooms() {
        return [...roomsOf(sid)];
      },
      data: data === undefined || data.length === 0 ? {} : unpackPayload(data),
      // They follow the CONNECT packet, when authentication has let the client in again.
      missedPackets: [],
    };
  }

  /** The client has been told CONNECT: now it gets what waited, and what comes from here on. */
  onConnected(socket: Socket): void {
    const { nsp, bus, held, own, messages } = this.#options;
    // It was lost before its CONNECT had its turn: what is held under its id is the next one's.
    if (nsp.sockets.get(socket.id) !== socket) return;
    const waiting = held.release(socket.id);
    for (const message of waiting?.messages ?? []) messages.deliverTo(socket, message);
    if (canRecover(nsp) && waiting?.isRestored !== true) {
      const packet: Packet = { type: PacketType.EVENT, nsp: nsp.name, data: [POSITION_EVENT] };
      messages.deliverTo(socket, messages.frames.messageHere(packet));
    }
    bus.delivery.flush();
    if (canRecover(nsp)) setImmediate(() => socket.connected && own.saveData(socket.id, socket.data));
  }

  /** The socket's handlers ran, and may have changed its data. */
  onHandled(socket: Socket): void {
    if (canRecover(this.#options.nsp)) this.#options.own.touchData(socket);
  }

  /** The client has returned elsewhere: its old connection ends here. */
  onEvict(id: string, key: number): void {
    const { nsp, own } = this.#options;
    const end = (): void => this.#endOldConnection(id, key);
    // One that was restored in this very chunk has no Socket yet: Socket.IO makes it when the promise is kept.
    if (own.keyOf(id) === key && findSocket(nsp, id) === undefined) setImmediate(end);
    else end();
  }

  #endOldConnection(id: string, key: number): void {
    const { nsp, own } = this.#options;
    const socket = findSocket(nsp, id);
    if (own.keyOf(id) !== key || socket === undefined) return;
    const internals = socketInternals(socket);
    internals.client.close();
    // One that was not connected yet is cleaned up by hand, and must not be a second time: its id lives on elsewhere.
    if (own.keyOf(id) !== key) return;
    internals._cleanup();
    Object.assign(socket, { _cleanup: () => {} });
  }
}

function cut(body: Buffer, lengths: readonly number[]): Buffer[] {
  let at = 0;
  return lengths.map((length) => {
    const part = body.subarray(at, at + length);
    at += length;
    return part;
  });
}
