// The last messages of each room, as one worker knows them. Only memory and order; how it learns is `history-sync.ts`.
// Merging is safe to repeat and does not care for order, so that copies from other workers can come at any time.

import { type ChatMessage, LIMITS } from "./page/protocol.ts";

export interface RoomHistoryOptions {
  /** Most characters kept, over all rooms. Past it the room that was silent longest is forgotten. @default 4_000_000 */
  readonly maxLength?: number;
  /** Most messages of one room. @default 50 */
  readonly maxMessages?: number;
}

interface Room {
  messages: ChatMessage[];
  length: number;
}

export class RoomHistory {
  readonly #maxLength: number;
  readonly #maxMessages: number;
  /** The room that was written to last comes last. */
  readonly #rooms = new Map<string, Room>();
  #length = 0;

  constructor(options: RoomHistoryOptions = {}) {
    const { maxLength = 4_000_000, maxMessages = LIMITS.historyLength } = options;
    this.#maxLength = maxLength;
    this.#maxMessages = maxMessages;
  }

  /** The room's messages, oldest first. */
  messagesOf(room: string): readonly ChatMessage[] {
    return this.#rooms.get(room)?.messages ?? [];
  }

  find(room: string, id: string): ChatMessage | undefined {
    return this.messagesOf(room).find((message) => message.id === id);
  }

  /** Adds what is new. Returns whether anything was. */
  merge(room: string, messages: readonly ChatMessage[]): boolean {
    const known = new Set(this.messagesOf(room).map(({ id }) => id));
    const added = messages.filter(({ id }) => !known.has(id));
    if (added.length === 0) return false;

    const merged = [...this.messagesOf(room), ...added].sort(byTimeThenId).slice(-this.#maxMessages);
    this.#put(room, merged);
    this.#forgetSilentRooms();
    return true;
  }

  /** The rooms that were written to last, newest first, up to about `maxLength` characters. */
  snapshot(maxLength: number): [room: string, messages: readonly ChatMessage[]][] {
    let left = maxLength;
    const newestFirst = [...this.#rooms].reverse();
    const fitting = newestFirst.filter(([, { length }]) => {
      left -= length;
      return left >= 0;
    });
    return fitting.map(([room, { messages }]) => [room, messages]);
  }

  #put(room: string, messages: ChatMessage[]): void {
    this.#remove(room);
    const length = messages.reduce((sum, message) => sum + lengthOf(message), 0);
    this.#rooms.set(room, { messages, length });
    this.#length += length;
  }

  #forgetSilentRooms(): void {
    for (const room of this.#rooms.keys()) {
      if (this.#length <= this.#maxLength) return;
      this.#remove(room);
    }
  }

  #remove(room: string): void {
    this.#length -= this.#rooms.get(room)?.length ?? 0;
    this.#rooms.delete(room);
  }
}

/** Clocks of processes on one machine agree well enough; the id settles the rest the same way on every worker. */
function byTimeThenId(a: ChatMessage, b: ChatMessage): number {
  return a.at - b.at || (a.id < b.id ? -1 : 1);
}

/** Characters, roughly: the fixed fields count as 200. */
function lengthOf({ text, html }: ChatMessage): number {
  return text.length + (html?.length ?? 0) + 200;
}
