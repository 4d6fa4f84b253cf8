// Applies what another server wants to the sockets of this worker, and to no others: everything goes through the
// adapter's public methods with Socket.IO's `local` flag set, so any adapter will do.

import type { Adapter, BroadcastFlags, BroadcastOptions } from "socket.io-adapter";
import { NO_ANSWER } from "./merge-answers.ts";
import { encodeMsgpack, type Filter, REQUEST_TYPE, type ServerRequest, type WirePacket } from "./wire-format.ts";

export interface Replies {
  /** This worker's part of the answer. */
  readonly answer: (part: string) => void;
  /** One client's ack, as a whole response. */
  readonly clientAck: (response: Buffer) => void;
}

/** The parts of a socket that the other servers are told. */
interface LocalSocket {
  readonly id: string;
  readonly handshake: Record<string, unknown>;
  readonly rooms: Set<string>;
  readonly data: unknown;
}

/** Whether anybody here is in the room. An untyped app may have joined a room by number. */
export function hasRoom({ rooms }: Adapter, room: string): boolean {
  return rooms.has(room) || (rooms as Map<unknown, unknown>).has(Number(room));
}

export function applyBroadcast(adapter: Adapter, packet: WirePacket, filter: Filter): void {
  adapter.broadcast(packet, toLocal(filter));
}

/** Without a `requestId` in the request, `replies` are not called. May throw what the app's listeners throw. */
export async function applyRequest(adapter: Adapter, request: ServerRequest, replies: Replies): Promise<void> {
  const isAsked = request.requestId !== undefined;
  switch (request.kind) {
    case "sockets": {
      const sockets = await localSockets(adapter, request.filter);
      replies.answer(sockets.map(({ id }) => JSON.stringify(id)).join());
      break;
    }
    case "fetchSockets": {
      const sockets = await localSockets(adapter, request.filter);
      replies.answer(sockets.map((socket) => JSON.stringify(describeSocket(socket))).join());
      break;
    }
    case "allRooms":
      replies.answer([...adapter.rooms.keys()].map((room) => JSON.stringify(room)).join());
      break;
    case "serverSideEmit":
      emitToServer(adapter, request.data, isAsked ? replies.answer : undefined);
      break;
    case "broadcast":
      broadcastWithAck(adapter, request, replies);
      break;
    default:
      if (isAsked) replies.answer(isHere(adapter, request.filter) ? "true" : NO_ANSWER);
      changeSockets(adapter, request);
  }
}

function changeSockets(adapter: Adapter, request: ServerRequest): void {
  if (request.kind === "join") adapter.addSockets(toLocal(request.filter), [...request.rooms]);
  if (request.kind === "leave") adapter.delSockets(toLocal(request.filter), [...request.rooms]);
  if (request.kind === "disconnect") adapter.disconnectSockets(toLocal(request.filter), request.close);
}

function emitToServer({ nsp }: Adapter, data: readonly unknown[], answer: ((part: string) => void) | undefined): void {
  if (answer === undefined) {
    nsp._onServerSideEmit([...data]);
    return;
  }
  let isAnswered = false;
  const answerOnce = (value: unknown): void => {
    if (isAnswered) return;
    isAnswered = true;
    answer(JSON.stringify(value ?? null));
  };
  // Nobody listens, nobody will answer: the other workers of this box need not wait for this one.
  if (nsp.listenerCount(data[0]) === 0) answer(NO_ANSWER);
  else nsp._onServerSideEmit([...data, answerOnce]);
}

function broadcastWithAck(
  adapter: Adapter,
  { packet, filter, requestId }: Extract<ServerRequest, { kind: "broadcast" }>,
  { answer, clientAck }: Replies,
): void {
  adapter.broadcastWithAck(
    packet,
    toLocal(filter),
    (clientCount) => answer(String(clientCount)),
    (value: unknown) => clientAck(encodeMsgpack({ type: REQUEST_TYPE.clientAck, requestId, packet: value })),
  );
  forgetAcks(adapter, packet, Number(filter.flags.timeout));
}

/** The adapter has given the packet its id by now. A client that never acks would keep the callback for its lifetime. */
function forgetAcks({ nsp }: Adapter, packet: WirePacket, timeoutMs: number): void {
  if (!(timeoutMs >= 0)) return;
  setTimeout(() => {
    for (const { acks } of nsp.sockets.values()) acks.delete(packet.id);
  }, timeoutMs).unref();
}

function isHere({ sids }: Adapter, { rooms }: Filter): boolean {
  return rooms.some((room) => sids.has(room));
}

async function localSockets(adapter: Adapter, filter: Filter): Promise<LocalSocket[]> {
  return adapter.fetchSockets(toLocal(filter));
}

/** Session middleware leaves its store on the handshake, which is full of cycles and nobody else's business. */
function describeSocket({ id, handshake: { sessionStore, ...handshake }, rooms, data }: LocalSocket): object {
  return { id, handshake, rooms: [...rooms], data };
}

function toLocal({ rooms, except, flags }: Filter): BroadcastOptions {
  return { rooms: new Set(rooms), except: new Set(except), flags: { ...(flags as BroadcastFlags), local: true } };
}
