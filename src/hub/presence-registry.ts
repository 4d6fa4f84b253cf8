// Who is in which room, counted by user over tabs, devices and workers. Pure: no timer and no clock of its own; who
// calls it passes `now`, asks `nextExpiryAt` when to call `expire`, and sends what `takeChanges` returns.
//
// A connection is an entry (room, worker, socket). What happens to an entry that goes:
//   leave (on purpose)                        gone at once
//   drop, and its user has another live one   gone at once: closing one of two tabs is seen at once
//   drop of the user's last, worker death     lingers for `graceMs`; a join of the same user takes its place unseen
//
// Changes are published in diffs, each of which raises the room's version by one; what cancels out is not published.

import type { PresenceMember, RoomDiff } from "../bus/presence-messages.ts";
import { AllcoresError } from "../errors.ts";
import type { PresenceRoomState, PresenceState } from "./presence-state.ts";

export interface PresenceRegistryOptions {
  /** How long a lost connection still counts, in milliseconds. */
  readonly graceMs: number;
  /** Most entries of all rooms, lingering ones included. */
  readonly maxEntries: number;
}

export interface JoinRequest<Worker> {
  readonly worker: Worker;
  readonly socket: string;
  readonly room: string;
  readonly user: string;
  readonly info?: unknown;
}

/** A lost connection within its grace. */
interface Lingering {
  readonly room: string;
  readonly user: string;
  readonly expiresAt: number;
}

interface Member {
  readonly user: string;
  info: unknown;
  live: number;
  /** Oldest first. */
  readonly lingering: Lingering[];
}

interface Room<Worker> {
  version: number;
  readonly members: Map<string, Member>;
  /** Workers with live entries here, and how many. */
  readonly watchers: Map<Worker, number>;
  /** What was published of the members that have been touched since. */
  readonly touched: Map<string, PresenceMember | undefined>;
}

export class PresenceRegistry<Worker> {
  readonly #options: PresenceRegistryOptions;
  readonly #rooms = new Map<string, Room<Worker>>();
  readonly #touchedRooms = new Set<string>();
  /** worker -> socket -> room -> user */
  readonly #entries = new Map<Worker, Map<string, Map<string, string>>>();
  /** In order of expiry, since the grace is the same for all. */
  readonly #lingering = new Set<Lingering>();
  #liveEntries = 0;
  /** The highest version of rooms that are no more: a room that comes back goes on from there. */
  #lastVersion = 0;

  constructor(options: PresenceRegistryOptions) {
    this.#options = options;
  }

  /** Entries of all rooms, lingering ones included. */
  get entries(): number {
    return this.#liveEntries + this.#lingering.size;
  }

  get rooms(): number {
    return this.#rooms.size;
  }

  /** When the next lost connection stops counting. */
  get nextExpiryAt(): number | undefined {
    const [next] = this.#lingering;
    return next?.expiresAt;
  }

  /**
   * Adds an entry, or changes the one that the socket has in the room. Returns whether it is the worker's first in
   * the room. Throws `ALLCORES_ERR_PRESENCE_FULL`.
   */
  join({ worker, socket, room: roomName, user, info }: JoinRequest<Worker>): boolean {
    const known = this.#entries.get(worker)?.get(socket)?.get(roomName);
    if (known !== user) {
      const isReplacing = known !== undefined || this.#find(roomName, user)?.lingering.length;
      if (!isReplacing && this.entries >= this.#options.maxEntries) throw fullError(this.#options.maxEntries);
      if (known !== undefined) this.leave(worker, socket, roomName);
    }

    const member = this.#touch(roomName, user);
    member.info = info;
    if (known === user) return false;

    this.#replaceLingering(member);
    member.live++;
    return this.#addEntry(worker, socket, roomName, user);
  }

  /** The socket goes on purpose. */
  leave(worker: Worker, socket: string, room: string): void {
    const user = this.#removeEntry(worker, socket, room);
    if (user !== undefined) this.#forgetIfEmpty(room, user);
  }

  /** The socket was lost: it goes from all its rooms. */
  drop(worker: Worker, socket: string, now: number): void {
    for (const room of [...(this.#entries.get(worker)?.get(socket)?.keys() ?? [])]) {
      const user = this.#removeEntry(worker, socket, room);
      if (user === undefined) continue;
      if (this.#find(room, user)?.live === 0) this.#linger(room, user, now);
      this.#forgetIfEmpty(room, user);
    }
  }

  /** The worker was lost with all its sockets. */
  dropWorker(worker: Worker, now: number): void {
    for (const [socket, rooms] of [...(this.#entries.get(worker) ?? [])]) {
      for (const [room, user] of [...rooms]) {
        this.#removeEntry(worker, socket, room);
        this.#linger(room, user, now);
        this.#forgetIfEmpty(room, user);
      }
    }
  }

  /** Ends the grace of what was lost `graceMs` before `now`. */
  expire(now: number): void {
    for (const lost of this.#lingering) {
      if (lost.expiresAt > now) return;
      const { room, user } = lost;
      this.#touch(room, user).lingering.shift();
      this.#lingering.delete(lost);
      this.#forgetIfEmpty(room, user);
    }
  }

  /** What changed since the last call, one diff a room. Forgets rooms that nobody is in. */
  takeChanges(): RoomDiff[] {
    const diffs: RoomDiff[] = [];
    for (const name of this.#touchedRooms) {
      const room = this.#rooms.get(name);
      if (room === undefined) continue;
      const diff = takeDiff(name, room);
      if (diff !== undefined) diffs.push(diff);
      if (room.members.size === 0) this.#forgetRoom(name, room.version);
    }
    this.#touchedRooms.clear();
    return diffs;
  }

  /** The published state, if nothing was changed since `takeChanges`. */
  state(room: string): { readonly version: number; readonly members: PresenceMember[] } {
    const { version = this.#lastVersion, members } = this.#rooms.get(room) ?? {};
    return { version, members: [...(members?.values() ?? [])].map(publish) };
  }

  /** Everybody who counts, if nothing was changed since `takeChanges`. */
  snapshot(): PresenceState {
    const rooms = [...this.#rooms].map(([name, { version, members }]): PresenceRoomState => {
      const all = [...members.values()].map((member) => ({ ...member, count: countOf(member) }));
      return { name, version, members: all.map(({ user, info, count }) => ({ user, info, count })) };
    });
    return { lastVersion: this.#lastVersion, rooms };
  }

  /** Begins with what another registry knew: everybody was lost at `now`. Call it before anything else. */
  restore({ lastVersion, rooms }: PresenceState, now: number): void {
    this.#lastVersion = lastVersion;
    for (const { name, version, members } of rooms) {
      const room = this.#openRoom(name);
      room.version = version;
      for (const { user, info, count } of members) {
        room.members.set(user, { user, info, live: 0, lingering: [] });
        for (let i = 0; i < count && this.entries < this.#options.maxEntries; i++) this.#linger(name, user, now);
        this.#forgetIfEmpty(name, user);
      }
      if (room.members.size === 0) this.#forgetRoom(name, version);
    }
  }

  /** Workers with a live entry in the room. */
  watchers(room: string): Worker[] {
    return [...(this.#rooms.get(room)?.watchers.keys() ?? [])];
  }

  isWatching(worker: Worker, room: string): boolean {
    return this.#rooms.get(room)?.watchers.has(worker) ?? false;
  }

  #find(room: string, user: string): Member | undefined {
    return this.#rooms.get(room)?.members.get(user);
  }

  #forgetRoom(name: string, version: number): void {
    this.#rooms.delete(name);
    this.#lastVersion = Math.max(this.#lastVersion, version);
  }

  #openRoom(name: string): Room<Worker> {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      room = { version: this.#lastVersion, members: new Map(), watchers: new Map(), touched: new Map() };
      this.#rooms.set(name, room);
    }
    return room;
  }

  /** The member, about to be changed; what was published of it is kept for the diff. */
  #touch(roomName: string, user: string): Member {
    const room = this.#openRoom(roomName);
    const known = room.members.get(user);
    const member = known ?? { user, info: undefined, live: 0, lingering: [] };
    room.members.set(user, member);
    if (!room.touched.has(user)) room.touched.set(user, known && publish(known));
    this.#touchedRooms.add(roomName);
    return member;
  }

  /** Returns whether the worker had none in the room before. */
  #addEntry(worker: Worker, socket: string, roomName: string, user: string): boolean {
    const sockets = this.#entries.get(worker) ?? new Map<string, Map<string, string>>();
    const rooms = sockets.get(socket) ?? new Map<string, string>();
    this.#entries.set(worker, sockets.set(socket, rooms.set(roomName, user)));
    this.#liveEntries++;

    const { watchers } = this.#openRoom(roomName);
    const connections = watchers.get(worker) ?? 0;
    watchers.set(worker, connections + 1);
    return connections === 0;
  }

  /** Returns whose entry it was. */
  #removeEntry(worker: Worker, socket: string, roomName: string): string | undefined {
    const sockets = this.#entries.get(worker);
    const rooms = sockets?.get(socket);
    const user = rooms?.get(roomName);
    if (sockets === undefined || rooms === undefined || user === undefined) return undefined;

    rooms.delete(roomName);
    if (rooms.size === 0) sockets.delete(socket);
    if (sockets.size === 0) this.#entries.delete(worker);
    this.#liveEntries--;

    this.#touch(roomName, user).live--;
    const { watchers } = this.#openRoom(roomName);
    const connections = watchers.get(worker) ?? 0;
    if (connections > 1) watchers.set(worker, connections - 1);
    else watchers.delete(worker);
    return user;
  }

  #linger(room: string, user: string, now: number): void {
    if (this.#options.graceMs === 0) return;
    const lost = { room, user, expiresAt: now + this.#options.graceMs };
    this.#lingering.add(lost);
    this.#find(room, user)?.lingering.push(lost);
  }

  #replaceLingering(member: Member): void {
    const replaced = member.lingering.shift();
    if (replaced !== undefined) this.#lingering.delete(replaced);
  }

  #forgetIfEmpty(room: string, user: string): void {
    const member = this.#find(room, user);
    if (member !== undefined && countOf(member) === 0) this.#rooms.get(room)?.members.delete(user);
  }
}

function countOf({ live, lingering }: Member): number {
  return live + lingering.length;
}

function publish(member: Member): PresenceMember {
  const { user, info } = member;
  return { user, ...(info !== undefined && { info }), count: countOf(member) };
}

function takeDiff<Worker>(name: string, room: Room<Worker>): RoomDiff | undefined {
  const joined: PresenceMember[] = [];
  const left: string[] = [];
  const updated: PresenceMember[] = [];
  for (const [user, before] of room.touched) {
    const member = room.members.get(user);
    const after = member && publish(member);
    if (before === undefined && after !== undefined) joined.push(after);
    if (before !== undefined && after === undefined) left.push(user);
    if (before !== undefined && after !== undefined && !isSame(before, after)) updated.push(after);
  }
  room.touched.clear();
  if (joined.length + left.length + updated.length === 0) return undefined;
  room.version++;
  return { room: name, version: room.version, joined, left, updated };
}

/** Infos came as JSON, so equal ones have equal text. */
function isSame(a: PresenceMember, b: PresenceMember): boolean {
  return a.count === b.count && JSON.stringify(a.info) === JSON.stringify(b.info);
}

function fullError(maxEntries: number): AllcoresError {
  return new AllcoresError(
    "ALLCORES_ERR_PRESENCE_FULL",
    `Presence is full: the box has ${maxEntries} entries. Raise presence.maxMembers, or let sockets leave rooms.`,
  );
}
