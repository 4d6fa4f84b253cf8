// All sessions of the box and their places in rooms: who is where, who may return, and what each has missed.
// No I/O and no clock: the hub brings sequences and times.

import { decodePublish } from "../bus/hub-frames.ts";
import { fromSavedName, type RoomState, type SessionState, toSavedName } from "./hub-state.ts";
import type { HubWorker } from "./hub-worker.ts";
import type { MessageLog } from "./message-log.ts";
import type { Room } from "./room.ts";
import { EVERYONE, type RoomName, Rooms } from "./rooms.ts";
import { Session, type SessionIdentity, type Stay } from "./session.ts";

/** Why a session cannot be recovered. */
export type Unrecoverable = "unknown" | "expired" | "trimmed";

export interface SessionStoreOptions {
  readonly log: MessageLog;
  /** How long a session whose connection is lost waits for its client, in milliseconds. */
  readonly windowMs: number;
  /** Most sessions that wait; past it the one that waits longest is let go. */
  readonly maxDetached: number;
}

export class SessionStore {
  readonly rooms = new Rooms();
  readonly #options: SessionStoreOptions;
  readonly #recoverable = new Map<string, Session>();
  /** In order of detachment, so that the ones that wait longest come first. */
  readonly #detached = new Set<Session>();

  constructor(options: SessionStoreOptions) {
    this.#options = options;
  }

  get detachedCount(): number {
    return this.#detached.size;
  }

  attach(worker: HubWorker, key: number, identity: SessionIdentity, sequence: number): Session {
    const session = new Session(identity, sequence);
    if (session.pid !== undefined) this.#recoverable.set(nameOf(session.namespace, session.pid), session);
    this.#place(session, worker, key);
    this.join(session, [EVERYONE], sequence);
    return session;
  }

  join(session: Session, rooms: readonly RoomName[], sequence: number): void {
    for (const name of rooms) {
      if (!session.join(name, sequence)) continue;
      const room = this.rooms.getOrAdd(session.namespace, name);
      if (session.worker !== undefined) room.enter(session, session.worker);
      if (session.pid !== undefined) room.retainers++;
    }
  }

  leave(session: Session, rooms: readonly RoomName[], sequence: number): void {
    for (const name of rooms) {
      const stay = session.leave(name, sequence);
      if (stay === undefined) continue;
      if (session.worker !== undefined) this.rooms.get(session.namespace, name)?.exit(session, session.worker);
      if (session.pid !== undefined) this.#endStay(session, stay);
      this.rooms.tidy(session.namespace, name);
    }
  }

  /** The connected sessions in any of the rooms (none named: in the namespace) and in none of the excepted ones. */
  matching(namespace: string, rooms: readonly string[], except: readonly string[]): Session[] {
    const found = new Set(this.rooms.named(namespace, rooms).flatMap(({ sessions }) => [...sessions]));
    const excepted = except.flatMap((name) => this.rooms.get(namespace, name) ?? []);
    return [...found].filter((session) => !excepted.some(({ sessions }) => sessions.has(session)));
  }

  /** The socket's connection is gone. A recoverable session waits for its client, any other is forgotten. */
  detach(session: Session, isRecoverable: boolean, now: number): void {
    this.#displace(session);
    if (!isRecoverable || session.pid === undefined) {
      this.#forget(session);
      return;
    }
    session.detachedAt = now;
    this.#wait(session);
  }

  /** The worker died: all its sessions wait for their clients. */
  detachAll(worker: HubWorker, now: number): void {
    for (const session of [...worker.sessions.values()]) this.detach(session, true, now);
  }

  /** The session a client asks for, if everything it missed after `position` is still here. */
  find(namespace: string, pid: string, position: number, now: number): Session | Unrecoverable {
    const session = this.#recoverable.get(nameOf(namespace, pid));
    if (session === undefined) return "unknown";
    if (session.detachedAt !== undefined && session.detachedAt + this.#options.windowMs < now) return "expired";
    return this.#isCovered(session, position) ? session : "trimmed";
  }

  /** The messages the session missed in `(position, upTo]`, in order, once each: publish frames. */
  missed(session: Session, position: number, upTo: number): Buffer[] {
    const sequences = new Set<number>();
    for (const { room, from, to } of session.staysAfter(position, upTo)) {
      const remembered = this.rooms.get(session.namespace, room)?.between(Math.max(from, position), to) ?? [];
      for (const sequence of remembered) sequences.add(sequence);
    }
    return [...sequences]
      .sort((a, b) => a - b)
      .flatMap((sequence) => {
        const frame = this.#options.log.get(sequence);
        if (frame === undefined) return [];
        const isExcepted = decodePublish(frame).except.some((room) => session.wasIn(room, sequence));
        return isExcepted ? [] : [frame];
      });
  }

  /** Lets the session go on at another place. */
  move(session: Session, worker: HubWorker, key: number): void {
    this.#displace(session);
    this.#detached.delete(session);
    session.detachedAt = undefined;
    this.#place(session, worker, key);
    for (const name of session.rooms()) this.rooms.getOrAdd(session.namespace, name).enter(session, worker);
  }

  /** Forgets sessions that have waited too long, and past stays that the log has outlived. */
  sweep(now: number): void {
    for (const session of this.#detached) {
      if ((session.detachedAt ?? now) + this.#options.windowMs >= now) break;
      this.#forget(session);
    }
    const { evictedTo } = this.#options.log;
    for (const session of this.#recoverable.values()) {
      if (session.pastStays().length > 0) this.#release(session, session.forgetStays(evictedTo));
    }
  }

  /** The sessions that wait for their clients, and what is remembered of the rooms they may come back to. */
  snapshot(): { readonly sessions: SessionState[]; readonly rooms: RoomState[] } {
    const sessions = [...this.#detached].flatMap((session) => {
      const { pid, detachedAt } = session;
      return pid === undefined || detachedAt === undefined ? [] : [session.snapshot(pid, detachedAt)];
    });
    const rooms = [...this.rooms.entries()].map(([namespace, name, room]): RoomState => {
      return { namespace, name: toSavedName(name), ...room.snapshot() };
    });
    return { sessions, rooms };
  }

  /** Takes up what another store remembered. Call it before anything else. */
  restore({
    sessions,
    rooms,
  }: {
    readonly sessions: readonly SessionState[];
    readonly rooms: readonly RoomState[];
  }): void {
    for (const room of rooms) this.rooms.getOrAdd(room.namespace, fromSavedName(room.name)).restore(room);
    for (const state of sessions) {
      const session = Session.restore(state);
      this.#recoverable.set(nameOf(state.namespace, state.pid), session);
      const retained = [...session.rooms(), ...session.pastStays().map(({ room }) => room)];
      for (const name of retained) this.rooms.getOrAdd(state.namespace, name).retainers++;
      this.#wait(session);
    }
    for (const { namespace, name } of rooms) this.rooms.tidy(namespace, fromSavedName(name));
  }

  #isCovered(session: Session, position: number): boolean {
    if (position < session.recoverableFrom) return false;
    const { evictedTo } = this.#options.log;
    return session.staysAfter(position, Number.MAX_SAFE_INTEGER).every(({ room, from }) => {
      const kept = this.rooms.get(session.namespace, room);
      return kept !== undefined && !kept.hasLostAfter(Math.max(from, position), evictedTo);
    });
  }

  #wait(session: Session): void {
    this.#detached.add(session);
    const [longest] = this.#detached;
    if (this.#detached.size > this.#options.maxDetached && longest !== undefined) this.#forget(longest);
  }

  #place(session: Session, worker: HubWorker, key: number): void {
    session.worker = worker;
    session.key = key;
    worker.sessions.set(key, session);
  }

  /** Takes the session off its worker; its rooms still retain messages for it. */
  #displace(session: Session): void {
    const { worker } = session;
    if (worker === undefined) return;
    worker.sessions.delete(session.key);
    session.worker = undefined;
    for (const name of session.rooms()) this.rooms.get(session.namespace, name)?.exit(session, worker);
  }

  #forget(session: Session): void {
    this.#detached.delete(session);
    if (session.pid !== undefined) {
      const name = nameOf(session.namespace, session.pid);
      if (this.#recoverable.get(name) === session) this.#recoverable.delete(name);
    }
    for (const name of session.rooms()) {
      const room = this.rooms.get(session.namespace, name);
      if (room !== undefined && session.pid !== undefined) room.retainers--;
      this.rooms.tidy(session.namespace, name);
    }
    this.#release(session, session.forgetStays(Number.MAX_SAFE_INTEGER));
  }

  /** A stay that decided about no message leaves no trace; any other goes on retaining its room. */
  #endStay(session: Session, stay: Stay): void {
    const room = this.rooms.get(session.namespace, stay.room);
    this.#release(session, hadMessages(room, stay, this.#options.log) ? session.keepStay(stay) : [stay]);
  }

  #release(session: Session, stays: readonly Stay[]): void {
    for (const { room: name } of stays) {
      const room = this.rooms.get(session.namespace, name);
      if (room !== undefined) room.retainers--;
      this.rooms.tidy(session.namespace, name);
    }
  }
}

/** Whether a message was for those in the room, or for all but those, during the stay. */
function hadMessages(room: Room | undefined, { from, to }: Stay, log: MessageLog): boolean {
  if (room === undefined) return false;
  return room.between(from, to).length > 0 || room.hasLostAfter(from, log.evictedTo) || room.exceptedAt > from;
}

function nameOf(namespace: string, pid: string): string {
  return `${pid} ${namespace}`;
}
