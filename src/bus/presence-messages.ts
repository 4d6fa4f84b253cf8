// What socket workers and the primary say to each other about presence.
// `room` is the key of a room over all namespaces: NAMESPACE,ROOM (a namespace has no comma).
//
//   socket worker  --presenceJoin, presenceLeave, presenceDrop, presenceQuery-->      primary
//                 <--presenceDiff (in order, without a gap), presenceState, presenceRefused--

import type { WireError } from "./messages.ts";

/** One user in one room. */
export interface PresenceMember {
  readonly user: string;
  /** What the app said about the user at the last join, if anything. */
  readonly info?: unknown;
  /** Connections of the user in this room: tabs, devices, on whichever worker. At least 1. */
  readonly count: number;
}

/** What happened in a room between two versions that follow each other. */
export interface RoomDiff {
  readonly room: string;
  readonly version: number;
  readonly joined: readonly PresenceMember[];
  /** Users that are gone. */
  readonly left: readonly string[];
  /** Users whose count or info changed. */
  readonly updated: readonly PresenceMember[];
}

export interface PresenceJoinMessage {
  readonly type: "presenceJoin";
  readonly request: number;
  readonly room: string;
  readonly socket: string;
  readonly user: string;
  readonly info?: unknown;
}

/** The user goes on purpose: no grace. */
export interface PresenceLeaveMessage {
  readonly type: "presenceLeave";
  readonly room: string;
  readonly socket: string;
}

/** The socket is disconnected: it leaves all its rooms, and its user may return. */
export interface PresenceDropMessage {
  readonly type: "presenceDrop";
  readonly socket: string;
}

/** Who is in a room that this worker has no member in. */
export interface PresenceQueryMessage {
  readonly type: "presenceQuery";
  readonly request: number;
  readonly room: string;
}

/** To workers with members in the room. */
export interface PresenceDiffMessage extends RoomDiff {
  readonly type: "presenceDiff";
}

/** Answers joins and queries. */
export interface PresenceStateMessage {
  readonly type: "presenceState";
  readonly requests: readonly number[];
  readonly room: string;
  readonly version: number;
  /** Left out when the worker knows them from what it was sent before. */
  readonly members?: readonly PresenceMember[];
}

export interface PresenceRefusedMessage {
  readonly type: "presenceRefused";
  readonly request: number;
  readonly error: WireError;
}

/** What socket workers are told. */
export type PresenceDownMessage = PresenceDiffMessage | PresenceStateMessage | PresenceRefusedMessage;

export type PresenceMessage =
  | PresenceJoinMessage
  | PresenceLeaveMessage
  | PresenceDropMessage
  | PresenceQueryMessage
  | PresenceDownMessage;

export const PRESENCE_MESSAGE_TYPES: Record<PresenceMessage["type"], true> = {
  presenceJoin: true,
  presenceLeave: true,
  presenceDrop: true,
  presenceQuery: true,
  presenceDiff: true,
  presenceState: true,
  presenceRefused: true,
};
