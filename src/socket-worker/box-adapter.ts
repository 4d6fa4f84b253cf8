// The Socket.IO adapter over the box's own hub: one order for all, only to whom it concerns, and nothing forgotten.
//
// The base class publishes and applies locally without waiting for the other. Here a thing is published first, and
// applied at the place in the order that the hub gives it, on this worker as on every other.

import type { Namespace, Socket } from "socket.io";
import {
  Adapter,
  type BroadcastOptions,
  ClusterAdapter,
  type ClusterMessage,
  type ClusterResponse,
  MessageType,
  type Session,
} from "socket.io-adapter";
import { type Packet, PacketType } from "socket.io-parser";
import { decodePublish, encodePublish, PUBLISH_FLAG, type Publication, sequenceOf } from "../bus/hub-frames.ts";
import type { HubOperation, HubQuestionMessage, HubRestoredMessage } from "../bus/hub-messages.ts";
import { formatPosition } from "../bus/position.ts";
import { AdapterQuestions, type LocalBroadcast, type PlainOptions, type ServerSideAck } from "./adapter-questions.ts";
import type { BoxBus } from "./box-bus.ts";
import type { WireMessage } from "./delivery.ts";
import { HeldSockets } from "./held-sockets.ts";
import { decodePacket, type EncodedPacket, encodeAtPosition, encodePacket, stampFrames } from "./packet-encoding.ts";
import { packPayload, unpackPayload } from "./payload.ts";
import { SessionData } from "./session-data.ts";
import { findSocket, serverInternals, socketInternals } from "./socket-io-internals.ts";

/** The event that gives a new client its first position. Stock clients take it from the event's last argument. */
export const POSITION_EVENT = "allcores:position";

type Target = { readonly rooms: Iterable<string>; readonly except?: Iterable<string> | undefined };

interface OperationData {
  readonly opts?: PlainOptions;
  readonly rooms?: string[];
  readonly [name: string]: unknown;
}

export class BoxAdapter extends ClusterAdapter {
  declare readonly nsp: Namespace;
  readonly #bus: BoxBus;
  readonly #held = new HeldSockets();
  /** The hub's names for our sockets. */
  readonly #keys = new Map<string, number>();
  /** Sockets whose client may come back, between their `persistSession` and the end of their rooms. */
  readonly #returning = new Set<string>();
  readonly #data = new SessionData((id, bytes) => this.#tellData(id, bytes));
  readonly #questions: AdapterQuestions;
  #asksForServerCount = false;

  constructor(nsp: Namespace, bus: BoxBus) {
    super(nsp);
    this.#bus = bus;
    this.#questions = new AdapterQuestions(bus, { uid: this.uid, namespace: nsp.name });
    bus.add(this);
  }

  override close(): void {
    this.#bus.remove(this);
  }

  // --- Who is where

  override addAll(id: string, rooms: Set<string>): void {
    const before = this.sids.get(id);
    const isNew = before === undefined && !this.#keys.has(id);
    const added = [...rooms].filter((room) => before?.has(room) !== true && !this.#held.wasRestoredIn(id, room));
    if (isNew) this.#attach(id);
    super.addAll(id, rooms);
    if (added.length > 0) this.#tellRooms("hub:join", id, added);
    // Its own room is the one that Socket.IO lets it join right before CONNECT.
    const isConnecting = rooms.has(id) && before?.has(id) !== true && this.nsp.sockets.has(id);
    if (isConnecting) this.#held.hold(id);
  }

  override del(id: string, room: string): void {
    const wasIn = this.sids.get(id)?.has(room) === true;
    super.del(id, room);
    if (wasIn) this.#tellRooms("hub:leave", id, [room]);
  }

  override delAll(id: string): void {
    super.delAll(id);
    const key = this.#keys.get(id);
    if (key === undefined) return;
    // A restored client that never got as far as CONNECT may try again.
    const isRecoverable = this.#returning.delete(id) || this.#held.isRestored(id);
    this.#bus.link.tell({ type: "hub:detach", key, isRecoverable });
    this.#keys.delete(id);
    this.#data.forget(id);
    this.#held.release(id);
  }

  #attach(id: string): void {
    const key = this.#bus.nextKey();
    const socket = findSocket(this.nsp, id);
    const pid = socket && socketInternals(socket).pid;
    this.#keys.set(id, key);
    const identity = { namespace: this.nsp.name, sid: id, ...(pid !== undefined && { pid }) };
    this.#bus.link.send({ type: "hub:attach", key, ...identity });
  }

  #tellRooms(type: "hub:join" | "hub:leave", id: string, rooms: readonly string[]): void {
    const key = this.#keys.get(id);
    if (key !== undefined) this.#bus.link.send({ type, key, rooms });
  }

  // --- Messages to rooms

  override broadcast(packet: Packet, options: BroadcastOptions): Promise<void> {
    packet.nsp = this.nsp.name;
    const flags = options.flags ?? {};
    const isEvent = packet.type === PacketType.EVENT && packet.id === undefined;
    const withPosition = isEvent && this.#canRecover;
    const isForOwnSocket = flags.local === true || this.#isForOneOfOurs(options);
    const isKept = withPosition && flags.volatile !== true && flags.local !== true;
    if (isForOwnSocket && !isKept) this.#deliverInOrder(packet, options, withPosition);
    else this.#publish(packet, options, withPosition, isKept);
    return Promise.resolve();
  }

  get #canRecover(): boolean {
    return Boolean(serverInternals(this.nsp).opts.connectionStateRecovery);
  }

  #isForOneOfOurs({ rooms }: BroadcastOptions): boolean {
    if (rooms.size !== 1) return false;
    const [only = ""] = rooms;
    return this.nsp.sockets.has(only);
  }

  /** Takes no place of its own in the order, but waits for what was published before. */
  #deliverInOrder(packet: Packet, options: BroadcastOptions, withPosition: boolean): void {
    const encoded = encodePacket(serverInternals(this.nsp).encoder, packet, withPosition);
    this.#bus.link.inOrder(() => {
      const frames = this.#framesAt(encoded, packet, this.#bus.link.sequence);
      this.#deliver(options, wireMessage(frames, options.flags), packet);
      this.#bus.delivery.flush();
    });
  }

  #publish(packet: Packet, options: BroadcastOptions, withPosition: boolean, isKept: boolean): void {
    const encoded = encodePacket(serverInternals(this.nsp).encoder, packet, withPosition);
    const isVolatile = options.flags?.volatile === true;
    const { firstFrameBytes, payload } = encoded;
    if (encoded.flags & PUBLISH_FLAG.hasPosition) stampFrames(encoded, this.#bus.epoch, 0);
    const flags = encoded.flags | (isKept ? PUBLISH_FLAG.recoverable : 0) | (isVolatile ? PUBLISH_FLAG.volatile : 0);
    const publication = {
      flags,
      namespace: this.nsp.name,
      rooms: [...options.rooms],
      except: [...(options.except ?? [])],
      firstFrameBytes,
      payload,
    };
    this.#bus.link.publish(
      (ticket) => encodePublish({ ...publication, ticket }),
      (sequence) => {
        const frames = this.#framesAt(encoded, packet, sequence);
        this.#deliver(options, wireMessage(frames, options.flags), packet);
      },
    );
  }

  /** A message from another worker, at its place. */
  onPublication(publication: Publication, sequence: number): void {
    this.#deliver(publication, this.#messageOf(publication, sequence), undefined);
  }

  /** What clients get of a publication. The hub has written the position into frames; a packet still lacks it. */
  #messageOf({ flags, payload }: Publication, sequence: number): WireMessage {
    const isVolatile = (flags & PUBLISH_FLAG.volatile) !== 0;
    if (!(flags & PUBLISH_FLAG.isPacket)) return { frames: payload, isVolatile, compress: undefined };
    const position = formatPosition({ epoch: this.#bus.epoch, sequence });
    const frames = encodeAtPosition(serverInternals(this.nsp).encoder, unpackPayload<Packet>(payload), position);
    return { frames, isVolatile, compress: undefined };
  }

  /** What our clients get of a packet of our own. */
  #framesAt(encoded: EncodedPacket, packet: Packet, sequence: number): Buffer {
    const { epoch } = this.#bus;
    if (encoded.flags & PUBLISH_FLAG.isPacket) {
      return encodeAtPosition(serverInternals(this.nsp).encoder, packet, formatPosition({ epoch, sequence }));
    }
    if (encoded.flags & PUBLISH_FLAG.hasPosition) stampFrames(encoded, epoch, sequence);
    return encoded.payload;
  }

  #deliver(target: Target, message: WireMessage, packet: Packet | undefined): void {
    for (const id of this.#idsOf(target)) {
      if (this.#held.keep(id, message)) continue;
      const socket = this.nsp.sockets.get(id);
      if (socket !== undefined) this.#deliverTo(socket, message, packet);
    }
  }

  #deliverTo(socket: Socket, message: WireMessage, packet: Packet | undefined): void {
    const internals = socketInternals(socket);
    if (internals._anyOutgoingListeners?.length) {
      // The only place where a message from elsewhere is decoded.
      internals.notifyOutgoingListeners(packet ?? decodePacket(serverInternals(this.nsp)._parser, message.frames));
    }
    this.#bus.delivery.send(socket, message);
  }

  /** The ids a target names, each once. */
  #idsOf({ rooms, except = [] }: Target): Iterable<string> {
    const names = [...rooms];
    const excepted = [...except].flatMap((room) => [...(this.rooms.get(room) ?? [])]);
    const [only] = names;
    const isSimple = names.length === 1 && only !== undefined && excepted.length === 0;
    // Copied all the same: what a client's close sets off may change the room while it is walked through.
    if (isSimple) return [...(this.rooms.get(only) ?? [])];

    const ids = names.length === 0 ? this.sids.keys() : names.flatMap((room) => [...(this.rooms.get(room) ?? [])]);
    const chosen = new Set(ids);
    for (const id of excepted) chosen.delete(id);
    return chosen;
  }

  // --- Things that all workers do

  override async addSockets(options: BroadcastOptions, rooms: string[]): Promise<void> {
    const apply = () => Adapter.prototype.addSockets.call(this, options, rooms);
    if (options.flags?.local === true) this.#bus.link.inOrder(apply);
    else this.#tellOthers("join", MessageType.SOCKETS_JOIN, { opts: plain(options), rooms }, apply);
  }

  override async delSockets(options: BroadcastOptions, rooms: string[]): Promise<void> {
    const apply = () => Adapter.prototype.delSockets.call(this, options, rooms);
    if (options.flags?.local === true) this.#bus.link.inOrder(apply);
    else this.#tellOthers("leave", MessageType.SOCKETS_LEAVE, { opts: plain(options), rooms }, apply);
  }

  override async disconnectSockets(options: BroadcastOptions, close: boolean): Promise<void> {
    const apply = () => Adapter.prototype.disconnectSockets.call(this, options, close);
    if (options.flags?.local === true) this.#bus.link.inOrder(apply);
    else this.#tellOthers("disconnect", MessageType.DISCONNECT_SOCKETS, { opts: plain(options), close }, apply);
  }

  #tellOthers(operation: HubOperation, type: MessageType, data: OperationData, apply?: () => void): void {
    const { opts, rooms } = data;
    const changes = opts !== undefined && rooms !== undefined ? { target: targetOf(opts), rooms } : {};
    const body = packPayload({ type, uid: this.uid, nsp: this.nsp.name, data });
    this.#bus.link.send({ type: "hub:operation", namespace: this.nsp.name, operation, ...changes }, apply, body);
  }

  /** Something another worker has ordered, at its place. */
  onOrdered(body: Buffer): void {
    this.onMessage(unpackPayload<ClusterMessage>(body));
  }

  /** The base class' way out, for whatever it publishes without being overridden here. */
  protected override doPublish(message: ClusterMessage): Promise<string> {
    const namespace = this.nsp.name;
    this.#bus.link.send(
      { type: "hub:operation", namespace, operation: "serverSideEmit" },
      undefined,
      packPayload(message),
    );
    return Promise.resolve("");
  }

  // --- Questions

  override fetchSockets(options: BroadcastOptions): Promise<never[]> {
    const local = () => Adapter.prototype.fetchSockets.call(this, options) as unknown as Promise<unknown[]>;
    if (options.flags?.local !== true) return this.#questions.fetchSockets(plain(options), local) as Promise<never[]>;
    return new Promise((resolve, reject) => {
      this.#bus.link.inOrder(() => local().then((sockets) => resolve(sockets as never[]), reject));
    });
  }

  override async serverSideEmit(packet: unknown[]): Promise<void> {
    const ack = packet.at(-1);
    if (typeof ack === "function") this.#questions.serverSideEmit(packet.slice(0, -1), ack as ServerSideAck);
    else this.#tellOthers("serverSideEmit", MessageType.SERVER_SIDE_EMIT, { packet });
  }

  override broadcastWithAck(
    packet: Packet,
    options: BroadcastOptions,
    countClients: (clients: number) => void,
    ack: (...args: unknown[]) => void,
  ): void {
    const local: LocalBroadcast = (onCount, onAck) => {
      this.#bus.delivery.flush();
      Adapter.prototype.broadcastWithAck.call(this, packet, options, onCount, onAck);
    };
    // One count comes for all workers together; Socket.IO asks right after this how many to wait for.
    this.#asksForServerCount = true;
    if (options.flags?.local === true) this.#bus.link.inOrder(() => local(countClients, ack));
    else this.#questions.broadcast(packet, plain(options), local, countClients, ack);
  }

  override serverCount(): Promise<number> {
    const isForAcks = this.#asksForServerCount;
    this.#asksForServerCount = false;
    return Promise.resolve(isForAcks ? 1 : this.#bus.workers);
  }

  /** A question from another worker, at its place. */
  onQuestion(question: HubQuestionMessage, body: Buffer): void {
    this.onMessage(this.#questions.receive(question, body));
  }

  protected override doPublishResponse(_requester: string, response: ClusterResponse): Promise<void> {
    this.#questions.respond(response);
    return Promise.resolve();
  }

  // --- Clients that come back

  override persistSession(session: Omit<Session, "missedPackets">): void {
    this.#returning.add(session.sid);
    this.#data.save(session.sid, session.data);
  }

  /** The socket's handlers ran, and may have changed its data. */
  onHandled(socket: Socket): void {
    if (this.#canRecover) this.#data.touch(socket);
  }

  #tellData(id: string, bytes: Buffer): void {
    const key = this.#keys.get(id);
    if (key !== undefined) this.#bus.link.tell({ type: "hub:data", key }, bytes);
  }

  override restoreSession(pid: string, position: string): Promise<Session> {
    const key = this.#bus.nextKey();
    // Socket.IO's type has no "none", its code does: `null` means that the client starts afresh.
    return new Promise<Session | null>((resolve) => {
      this.#bus.restore({ key, namespace: this.nsp.name, pid, position }, (message, body) => {
        resolve(this.#onRestored(pid, message, body));
      });
    }) as Promise<Session>;
  }

  #onRestored(pid: string, { key, outcome, parts }: HubRestoredMessage, body: Buffer): Session | null {
    if (typeof outcome === "string") return null;
    const { sid, rooms } = outcome;
    const [data, ...missed] = cut(Buffer.from(body), parts);
    const messages = missed.map((part) => this.#messageOf(decodePublish(part), sequenceOf(part)));
    this.#keys.set(sid, key);
    this.#held.holdRestored(sid, rooms, messages);
    // At once: the next message of this very chunk may be for it, and its Socket is not there yet to join.
    super.addAll(sid, new Set(rooms));
    return {
      sid: sid as Session["sid"],
      pid: pid as Session["pid"],
      rooms: [...rooms],
      data: data === undefined || data.length === 0 ? {} : unpackPayload(data),
      // They follow the CONNECT packet, when authentication has let the client in again.
      missedPackets: [],
    };
  }

  /** The client has been told CONNECT: now it gets what waited, and what comes from here on. */
  onConnected(socket: Socket): void {
    const held = this.#held.release(socket.id);
    for (const message of held?.messages ?? []) this.#deliverTo(socket, message, undefined);
    if (this.#canRecover && held?.isRestored !== true) this.#deliverTo(socket, this.#firstPosition(), undefined);
    this.#bus.delivery.flush();
    if (this.#canRecover) setImmediate(() => socket.connected && this.#data.save(socket.id, socket.data));
  }

  #firstPosition(): WireMessage {
    const packet: Packet = { type: PacketType.EVENT, nsp: this.nsp.name, data: [POSITION_EVENT] };
    const encoded = encodePacket(serverInternals(this.nsp).encoder, packet, true);
    return wireMessage(this.#framesAt(encoded, packet, this.#bus.link.sequence));
  }

  /** The client has returned elsewhere: its old connection ends here. */
  onEvict(id: string, key: number): void {
    const socket = findSocket(this.nsp, id);
    if (this.#keys.get(id) !== key || socket === undefined) return;
    const internals = socketInternals(socket);
    internals.client.close();
    // One that was not connected yet is cleaned up by hand, and must not be a second time: its id lives on elsewhere.
    if (this.#keys.get(id) !== key) return;
    internals._cleanup();
    Object.assign(socket, { leaveAll: () => {} });
  }
}

function targetOf({ rooms, except }: PlainOptions): { rooms: readonly string[]; except: readonly string[] } {
  return { rooms, except };
}

function plain({ rooms, except, flags }: BroadcastOptions): PlainOptions {
  return { rooms: [...rooms], except: [...(except ?? [])], flags: { ...flags } };
}

function wireMessage(frames: Buffer, flags: BroadcastOptions["flags"] = {}): WireMessage {
  return { frames, isVolatile: flags.volatile === true, compress: flags.compress };
}

function cut(body: Buffer, lengths: readonly number[]): Buffer[] {
  let at = 0;
  return lengths.map((length) => {
    const part = body.subarray(at, at + length);
    at += length;
    return part;
  });
}
