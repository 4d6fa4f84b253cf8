// Keeps the same history on every worker. Each message is told to all of them, so that any one may die; a worker that
// takes a dead one's place copies what a neighbour has. With one worker only, history lives and dies with it.

import { type Deferred, defer, settledWithin } from "../lib/deadline.ts";
import type { ChatServer } from "./chat-server.ts";
import type { ChatMessage } from "./page/protocol.ts";
import type { RoomHistory } from "./room-history.ts";

const MAX_COPY_LENGTH = 1_000_000;
const MAX_TRIES = 3;
const ANSWER_WAIT_MS = 1000;

export interface HistorySyncOptions {
  readonly io: ChatServer;
  readonly history: RoomHistory;
  readonly slot: number;
  readonly incarnation: number;
  readonly workers: number;
}

export class HistorySync {
  readonly #options: HistorySyncOptions;
  /** Whether this worker knows what the others know, and may be copied itself. */
  #isComplete = false;
  #answer: Deferred<void> = defer();

  constructor(options: HistorySyncOptions) {
    this.#options = options;
    const { io, history, slot } = options;
    io.on("chat:message", (room, message) => {
      history.merge(room, [message]);
    });
    io.on("chat:copy", (neighbour, asker) => {
      if (neighbour !== slot || !this.#isComplete) return;
      io.serverSideEmit("chat:copied", asker, history.snapshot(MAX_COPY_LENGTH));
    });
    io.on("chat:copied", (asker, snapshot) => {
      if (asker !== slot) return;
      // The newest room comes first, and what is written last is kept longest.
      for (const [room, messages] of snapshot.toReversed()) history.merge(room, messages);
      this.#answer.resolve();
    });
  }

  add(room: string, message: ChatMessage): void {
    this.#options.history.merge(room, [message]);
    this.#options.io.serverSideEmit("chat:message", room, message);
  }

  /**
   * Copies what a neighbour has. Resolves when it is here, or when three neighbours in a row did not answer. An
   * acknowledgement would not do: the adapter of a new worker does not know yet whose to wait for.
   */
  async copy(): Promise<void> {
    const { io, slot, incarnation, workers } = this.#options;
    // The first process of a slot starts together with the box: there is nothing to copy yet.
    const tries = incarnation === 1 || workers === 1 ? 0 : MAX_TRIES;
    for (let step = 0; step < tries; step++) {
      this.#answer = defer();
      io.serverSideEmit("chat:copy", (slot + 1 + (step % (workers - 1))) % workers, slot);
      if (await settledWithin(this.#answer.promise, ANSWER_WAIT_MS)) break;
    }
    this.#isComplete = true;
  }
}
