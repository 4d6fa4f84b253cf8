// The Socket.IO adapter over the box's own hub: one order for all, only to whom it concerns, and nothing forgotten.
//
// The base class publishes and applies locally without waiting for the other. Here a thing is published first, and
// applied at the place in the order that the hub gives it, on this worker as on every other.
//
// Here is what Socket.IO calls. A message's way is in room-messages.ts, moves and the like are in operations.ts, questions
// in adapter-questions.ts, clients that come back in returning-clients.ts.

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
import type { Packet } from "socket.io-parser";
import type { HubQuestionMessage } from "../bus/hub-messages.ts";
import { toRoomName } from "../lib/room-name.ts";
import { AdapterQuestions, type LocalBroadcast, type PlainOptions, type ServerSideAck } from "./adapter-questions.ts";
import type { BoxBus } from "./box-bus.ts";
import { HeldSockets } from "./held-sockets.ts";
import { namedRooms, withNamedRooms } from "./named-rooms.ts";
import { Operations } from "./operations.ts";
import { OwnSockets } from "./own-sockets.ts";
import { unpackPayload } from "./payload.ts";
import { Recipients } from "./recipients.ts";
import { ReturningClients } from "./returning-clients.ts";
import { RoomMessages } from "./room-messages.ts";

export class BoxAdapter extends ClusterAdapter {
  declare readonly nsp: Namespace;
  readonly messages: RoomMessages;
  readonly operations: Operations;
  readonly returning: ReturningClients;
  readonly #bus: BoxBus;
  readonly #own: OwnSockets;
  readonly #held = new HeldSockets();
  readonly #recipients = new Recipients();
  readonly #questions: AdapterQuestions;
  #asksForServerCount = false;

  constructor(nsp: Namespace, bus: BoxBus) {
    super(nsp);
    const { uid } = this;
    const namespace = nsp.name;
    const held = this.#held;
    const own = new OwnSockets(nsp, bus);
    const recipients = this.#recipients;
    const enter = (id: string, rooms: Set<string>): void => void super.addAll(id, rooms);
    const exit = (id: string, room: string): void => void super.del(id, room);
    const roomsOf = (id: string): Iterable<string> => this.sids.get(id) ?? [];
    const messages = new RoomMessages({ nsp, bus, recipients, held });
    this.#bus = bus;
    this.#own = own;
    this.#questions = new AdapterQuestions(bus, { uid, namespace });
    this.messages = messages;
    this.operations = new Operations({ bus, uid, namespace, own, recipients, enter, exit });
    this.returning = new ReturningClients({ nsp, bus, held, own, recipients, messages, enter, roomsOf });
    // How the base class finds the sockets of a target. All that it does with them it does at a place in the order.
    Object.assign(this, { apply: this.#apply.bind(this) });
    bus.add(this);
  }

  override close(): void {
    this.#bus.remove(this);
  }

  // --- Who is where

  /** Shows at once, and counts for messages when it resolves. Throws `ALLCORES_ERR_ROOM_NAME`; never rejects. */
  override addAll(id: string, given: Set<string>): Promise<void> | void {
    const rooms = namedRooms(given);
    const before = this.sids.get(id);
    const isNew = before === undefined && this.#own.keyOf(id) === undefined;
    // With something on its way, a `socketsLeave` say, what seems so already may not be so when this has its place. But a
    // socket that comes back is put into its rooms by Socket.IO, not by the app: that must not undo what it was moved out of.
    const isCertain = this.#bus.link.isClear || this.#held.isRestored(id);
    const added = [...rooms].filter((room) => !isCertain || before?.has(room) !== true);
    if (isNew) this.#attach(id);
    super.addAll(id, rooms);
    const enter = (): void => this.#recipients.entered(id, added);
    const placed = added.length > 0 ? this.#own.changeRooms("hub:join", id, added, enter) : undefined;
    // Its own room is the one that Socket.IO lets it join right before CONNECT.
    const isConnecting = rooms.has(id) && before?.has(id) !== true && this.nsp.sockets.has(id);
    if (isConnecting) this.#held.hold(id);
    return placed;
  }

  /** As `addAll`. */
  override del(id: string, given: string): Promise<void> | void {
    const room = toRoomName(given);
    const wasIn = this.sids.get(id)?.has(room) === true;
    super.del(id, room);
    if (!wasIn && this.#bus.link.isClear) return undefined;
    return this.#own.changeRooms("hub:leave", id, [room], () => this.#recipients.left(id, [room]));
  }

  override delAll(id: string): void {
    super.delAll(id);
    this.#recipients.removed(id);
    const key = this.#own.keyOf(id);
    if (key === undefined) return;
    this.#own.detach(id, key, this.returning.end(id));
    this.#held.release(id);
  }

  #attach(id: string): void {
    this.#recipients.add(id);
    this.#own.attach(id, () => this.#recipients.cameIn(id));
  }

  #apply({ rooms, except = new Set() }: BroadcastOptions, act: (socket: Socket) => void): void {
    for (const { id } of this.#recipients.of({ rooms: [...rooms], except: [...except] })) {
      const socket = this.nsp.sockets.get(id);
      if (socket !== undefined) act(socket);
    }
  }

  // --- What is said and done

  override broadcast(packet: Packet, options: BroadcastOptions): Promise<void> {
    this.messages.broadcast(packet, withNamedRooms(options));
    return Promise.resolve();
  }

  override async addSockets(given: BroadcastOptions, givenRooms: string[]): Promise<void> {
    const options = withNamedRooms(given);
    const rooms = givenRooms.map(toRoomName);
    if (!isLocal(options)) this.operations.move("join", options, rooms);
    else this.#bus.link.inOrder(() => Adapter.prototype.addSockets.call(this, options, rooms));
  }

  override async delSockets(given: BroadcastOptions, givenRooms: string[]): Promise<void> {
    const options = withNamedRooms(given);
    const rooms = givenRooms.map(toRoomName);
    if (!isLocal(options)) this.operations.move("leave", options, rooms);
    else this.#bus.link.inOrder(() => Adapter.prototype.delSockets.call(this, options, rooms));
  }

  override async disconnectSockets(given: BroadcastOptions, close: boolean): Promise<void> {
    const options = withNamedRooms(given);
    const opts = plain(options);
    const apply = () => Adapter.prototype.disconnectSockets.call(this, options, close);
    if (isLocal(options)) this.#bus.link.inOrder(apply);
    else this.operations.tellOthers("disconnect", MessageType.DISCONNECT_SOCKETS, { opts, close }, apply);
  }

  override async serverSideEmit(packet: unknown[]): Promise<void> {
    const ack = packet.at(-1);
    if (typeof ack === "function") this.#questions.serverSideEmit(packet.slice(0, -1), ack as ServerSideAck);
    else this.operations.tellOthers("serverSideEmit", MessageType.SERVER_SIDE_EMIT, { packet });
  }

  /** The base class' way out, for whatever it publishes without being overridden here. */
  protected override doPublish(message: ClusterMessage): Promise<string> {
    this.operations.send("serverSideEmit", message);
    return Promise.resolve("");
  }

  /** Something another worker has ordered, at its place. */
  onOrdered(body: Buffer): void {
    this.onMessage(unpackPayload<ClusterMessage>(body));
  }

  // --- Questions

  override sockets(rooms: Set<string>): Promise<Set<string>> {
    const named = namedRooms(rooms);
    return new Promise((resolve, reject) => {
      this.#bus.link.inOrder(() => super.sockets(named).then(resolve, reject));
    });
  }

  override fetchSockets(given: BroadcastOptions): Promise<never[]> {
    const options = withNamedRooms(given);
    const local = () => Adapter.prototype.fetchSockets.call(this, options) as unknown as Promise<unknown[]>;
    if (!isLocal(options)) return this.#questions.fetchSockets(plain(options), local) as Promise<never[]>;
    return new Promise((resolve, reject) => {
      this.#bus.link.inOrder(() => local().then((sockets) => resolve(sockets as never[]), reject));
    });
  }

  override broadcastWithAck(
    asked: Packet,
    given: BroadcastOptions,
    countClients: (clients: number) => void,
    ack: (...args: unknown[]) => void,
  ): void {
    const options = withNamedRooms(given);
    // Each worker encodes it for its clients, at its place, and none may find that it cannot or that it has changed.
    const packet = this.messages.frames.settle(asked);
    const local: LocalBroadcast = (onCount, onAck) => {
      this.#bus.delivery.flush();
      Adapter.prototype.broadcastWithAck.call(this, packet, options, onCount, onAck);
    };
    // One count comes for all workers together; Socket.IO asks right after this how many to wait for.
    this.#asksForServerCount = true;
    if (isLocal(options)) this.#bus.link.inOrder(() => local(countClients, ack));
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
    this.returning.persist(session);
  }

  override restoreSession(pid: string, position: string): Promise<Session> {
    return this.returning.restore(pid, position);
  }
}

function isLocal({ flags }: BroadcastOptions): boolean {
  return flags?.local === true;
}

function plain({ rooms, except, flags }: BroadcastOptions): PlainOptions {
  return { rooms: [...rooms], except: [...(except ?? [])], flags: { ...flags } };
}
