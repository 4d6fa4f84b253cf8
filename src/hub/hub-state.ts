// What the hub remembers, as plain values: it is saved when the box stops, and taken up by the next one.

import type { PresenceState } from "./presence-state.ts";
import { EVERYONE, type RoomName } from "./rooms.ts";
import type { Stay } from "./session.ts";

export interface HubState {
  /** The place up to which everything has its order. */
  readonly sequence: number;
  /** The hub's lives, the latest one last. */
  readonly lives: readonly Life[];
  readonly log: LogState;
  /** Sessions that wait for their clients, those that wait longest first. */
  readonly sessions: readonly SessionState[];
  readonly rooms: readonly RoomState[];
  readonly presence?: PresenceState;
}

/** One life of a hub: positions of its epoch mean something up to its end. */
export interface Life {
  readonly epoch: string;
  readonly lastSequence: number;
}

export interface LogState {
  readonly evictedTo: number;
  readonly segments: readonly SegmentState[];
}

export interface SegmentState {
  /** The messages, one after the other. */
  readonly bytes: Buffer;
  readonly sequences: number[];
  readonly ends: number[];
  readonly lastAddedAt: number;
}

/** The name of a room, `null` for a namespace as a whole. */
export type SavedRoomName = string | null;

export interface SessionState {
  readonly namespace: string;
  readonly sid: string;
  readonly pid: string;
  readonly since: number;
  readonly recoverableFrom: number;
  readonly data: Buffer | undefined;
  readonly detachedAt: number;
  /** Rooms, and the sequence from which on it is there. */
  readonly rooms: readonly (readonly [SavedRoomName, number])[];
  readonly pastStays: readonly (Omit<Stay, "room"> & { readonly room: SavedRoomName })[];
}

export interface RoomState {
  readonly namespace: string;
  readonly name: SavedRoomName;
  readonly evictedTo: number;
  readonly exceptedAt: number;
  readonly sequences: number[];
}

export function toSavedName(name: RoomName): SavedRoomName {
  return name === EVERYONE ? null : name;
}

export function fromSavedName(name: SavedRoomName): RoomName {
  return name ?? EVERYONE;
}
