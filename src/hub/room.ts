// One room as the hub sees it: which workers have members, and which remembered messages were for it.

import type { RoomState } from "./hub-state.ts";
import type { HubWorker } from "./hub-worker.ts";
import { lastAtMost } from "./message-log.ts";
import type { Session } from "./session.ts";

/** Remembered sequences are pruned when so many of them may be gone from the log. */
const PRUNE_AT = 256;

export class Room {
  /** Connected sessions. */
  readonly sessions = new Set<Session>();
  /** How many of them each worker has. */
  readonly members = new Map<HubWorker, number>();
  /** Sessions that may come back for its messages, connected or not. Without any, nothing needs remembering. */
  retainers = 0;
  /** The last remembered message that was for others but not for those in this room. */
  exceptedAt = 0;
  #sequences: number[] = [];
  #evictedTo = 0;
  #pruneAt = PRUNE_AT;

  get isEmpty(): boolean {
    return this.sessions.size === 0 && this.retainers === 0;
  }

  enter(session: Session, worker: HubWorker): void {
    this.sessions.add(session);
    this.members.set(worker, (this.members.get(worker) ?? 0) + 1);
  }

  exit(session: Session, worker: HubWorker): void {
    if (!this.sessions.delete(session)) return;
    const left = (this.members.get(worker) ?? 0) - 1;
    if (left > 0) this.members.set(worker, left);
    else this.members.delete(worker);
  }

  /** Notes that the log holds a message for this room. */
  remember(sequence: number, logEvictedTo: number): void {
    if (this.#sequences.length >= this.#pruneAt) this.#prune(logEvictedTo);
    this.#sequences.push(sequence);
  }

  /** Whether a message for this room may have been evicted from the log after `sequence`. */
  hasLostAfter(sequence: number, logEvictedTo: number): boolean {
    this.#prune(logEvictedTo);
    return this.#evictedTo > sequence;
  }

  /** The remembered sequences in `(after, upTo]`. */
  between(after: number, upTo: number): number[] {
    const from = lastAtMost(this.#sequences, after, (value) => value) + 1;
    const to = lastAtMost(this.#sequences, upTo, (value) => value) + 1;
    return this.#sequences.slice(from, to);
  }

  /** What is remembered of its messages. */
  snapshot(): Pick<RoomState, "evictedTo" | "exceptedAt" | "sequences"> {
    return { evictedTo: this.#evictedTo, exceptedAt: this.exceptedAt, sequences: this.#sequences };
  }

  restore({ evictedTo, exceptedAt, sequences }: RoomState): void {
    this.#evictedTo = evictedTo;
    this.exceptedAt = exceptedAt;
    this.#sequences = [...sequences];
  }

  #prune(logEvictedTo: number): void {
    const gone = lastAtMost(this.#sequences, logEvictedTo, (value) => value) + 1;
    if (gone > 0) {
      this.#evictedTo = this.#sequences[gone - 1] ?? this.#evictedTo;
      this.#sequences = this.#sequences.slice(gone);
    }
    this.#pruneAt = Math.max(PRUNE_AT, this.#sequences.length * 2);
  }
}

/** The workers that have members in any of the rooms. */
export function workersIn(rooms: readonly Room[]): Iterable<HubWorker> {
  const [room] = rooms;
  if (rooms.length === 1 && room !== undefined) return room.members.keys();
  return new Set(rooms.flatMap(({ members }) => [...members.keys()]));
}
