// One socket as the hub remembers it: where it lives, its data, and in which rooms it was when.
// Everything needed to let the client return on another worker, after the first has died without a word.

import { fromSavedName, type SessionState, toSavedName } from "./hub-state.ts";
import type { HubWorker } from "./hub-worker.ts";
import { EVERYONE, type RoomName } from "./rooms.ts";

/** A stay in a room: messages in `(from, to]` were for this session. */
export interface Stay {
  readonly room: RoomName;
  readonly from: number;
  readonly to: number;
}

/** Past stays kept for a session; before the oldest of them it cannot be recovered. */
const MAX_PAST_STAYS = 100;

export interface SessionIdentity {
  readonly namespace: string;
  /** The public socket id. */
  readonly sid: string;
  /** The private session id, which the client shows to return; without one it cannot. */
  readonly pid: string | undefined;
}

export class Session {
  readonly namespace: string;
  readonly sid: string;
  readonly pid: string | undefined;
  /** The box's sequence when it began: nothing before concerns it. */
  readonly since: number;
  /** Serialized `socket.data`. */
  data: Buffer | undefined;
  worker: HubWorker | undefined;
  key = 0;
  /** When its connection was lost, while it is lost. */
  detachedAt: number | undefined;
  readonly #rooms = new Map<RoomName, number>();
  #pastStays: Stay[] = [];
  #recoverableFrom: number;

  constructor({ namespace, sid, pid }: SessionIdentity, since: number) {
    this.namespace = namespace;
    this.sid = sid;
    this.pid = pid;
    this.since = since;
    this.#recoverableFrom = since;
  }

  static restore({ since, recoverableFrom, data, detachedAt, rooms, pastStays, ...identity }: SessionState): Session {
    const session = new Session(identity, since);
    session.#recoverableFrom = recoverableFrom;
    // A view of the whole file otherwise.
    session.data = data && Buffer.from(data);
    session.detachedAt = detachedAt;
    for (const [name, from] of rooms) session.#rooms.set(fromSavedName(name), from);
    session.#pastStays = pastStays.map(({ room, from, to }) => ({ room: fromSavedName(room), from, to }));
    return session;
  }

  /** All of a session that waits for its client. */
  snapshot(pid: string, detachedAt: number): SessionState {
    const { namespace, sid, since, data, recoverableFrom } = this;
    const rooms = [...this.#rooms].map(([name, from]) => [toSavedName(name), from] as const);
    const pastStays = this.#pastStays.map(({ room, from, to }) => ({ room: toSavedName(room), from, to }));
    return { namespace, sid, pid, since, recoverableFrom, data, detachedAt, rooms, pastStays };
  }

  /** The rooms it is in, the namespace as a whole among them. */
  rooms(): RoomName[] {
    return [...this.#rooms.keys()];
  }

  /** The rooms it is in that have a name. */
  namedRooms(): string[] {
    return this.rooms().filter((room) => room !== EVERYONE);
  }

  /** The lowest position from which nothing is missing. */
  get recoverableFrom(): number {
    return this.#recoverableFrom;
  }

  /** Returns `false` when it was in the room already. */
  join(room: RoomName, sequence: number): boolean {
    if (this.#rooms.has(room)) return false;
    this.#rooms.set(room, sequence);
    return true;
  }

  /** Returns the stay that ends, or `undefined` when it was not in the room. */
  leave(room: RoomName, sequence: number): Stay | undefined {
    const from = this.#rooms.get(room);
    if (from === undefined) return undefined;
    this.#rooms.delete(room);
    return { room, from, to: sequence };
  }

  /** Keeps a stay that ended. Returns those that were let go for it. */
  keepStay(stay: Stay): Stay[] {
    this.#pastStays.push(stay);
    return this.#letGo(this.#pastStays.slice(0, Math.max(0, this.#pastStays.length - MAX_PAST_STAYS)));
  }

  /** Lets go of past stays that ended at or before `sequence`, and returns them. */
  forgetStays(sequence: number): Stay[] {
    return this.#letGo(this.#pastStays.filter(({ to }) => to <= sequence));
  }

  pastStays(): readonly Stay[] {
    return this.#pastStays;
  }

  /** All stays that reach beyond `after`, those that go on ending at `now`. */
  staysAfter(after: number, now: number): Stay[] {
    const present = [...this.#rooms].map(([room, from]): Stay => ({ room, from, to: now }));
    return [...this.#pastStays.filter(({ to }) => to > after), ...present];
  }

  /** Whether it was in the room when the message with that sequence came. */
  wasIn(room: RoomName, sequence: number): boolean {
    const from = this.#rooms.get(room);
    if (from !== undefined && from < sequence) return true;
    return this.#pastStays.some((stay) => stay.room === room && stay.from < sequence && sequence <= stay.to);
  }

  #letGo(stays: readonly Stay[]): Stay[] {
    if (stays.length === 0) return [];
    const gone = new Set(stays);
    this.#pastStays = this.#pastStays.filter((stay) => !gone.has(stay));
    for (const { to } of stays) this.#recoverableFrom = Math.max(this.#recoverableFrom, to);
    return [...stays];
  }
}
