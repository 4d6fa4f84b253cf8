// The types of the demo's Socket.IO server: what travels, and what a socket remembers.

import type { Server, Socket } from "socket.io";
import type { CpuClient } from "../cpu/client.ts";
import type { PresenceClient } from "../presence/presence-client.ts";
import type { Box } from "../socket-worker/context.ts";
import type { Author, ChatMessage, ClientEvents, ServerEvents } from "./page/protocol.ts";

export type HistorySnapshot = [room: string, messages: readonly ChatMessage[]][];

/** What the workers tell each other. */
export interface PeerEvents {
  "chat:message": (room: string, message: ChatMessage) => void;
  /** Asks the worker of one slot to tell the asker's all it has. */
  "chat:copy": (neighbour: number, asker: number) => void;
  "chat:copied": (asker: number, snapshot: HistorySnapshot) => void;
}

export interface Member {
  readonly room: string;
  readonly author: Author;
}

export interface SocketData {
  /** The claims of the token, when the box asks for one. */
  claims?: { readonly sub?: unknown };
  member?: Member;
  /** The latest message that this page has reported as seen. */
  seenUpTo?: string;
}

export type ChatServer = Server<ClientEvents, ServerEvents, PeerEvents, SocketData>;
export type ChatSocket = Socket<ClientEvents, ServerEvents, PeerEvents, SocketData>;

/** The Socket.IO room of everybody in a chat room. */
export function channelOf(room: string): string {
  return `room:${room}`;
}

/** The Socket.IO room of one person's tabs in a chat room. */
export function personalChannelOf({ room, author }: Member): string {
  return `person:${room}:${author.user}`;
}

/** What the chat needs of the box. */
export interface ChatBox extends Pick<Box, "slot" | "incarnation" | "log"> {
  readonly cpu: Pick<CpuClient, "run">;
  readonly options: { readonly workers: number; readonly cpu: { readonly threads: number } };
  readonly presence: Pick<PresenceClient, "join" | "leave">;
}
