// Clients that come back for their session: each gets what it missed, or the reason why it starts afresh. One whose old
// connection is still open waits until that is closed.

import type { HubRestoredMessage, HubRestoreMessage } from "../bus/hub-messages.ts";
import { parsePosition } from "../bus/position.ts";
import { Evictions, type Return } from "./evictions.ts";
import type { HubWorker } from "./hub-worker.ts";
import type { Order } from "./order.ts";
import type { Session } from "./session.ts";
import type { SessionStore } from "./session-store.ts";

export interface ReturnsOptions {
  readonly order: Order;
  readonly sessions: SessionStore;
  /** How long a client waits for the worker of its old connection to close that, in milliseconds. */
  readonly evictionTimeoutMs: number;
}

/** A worker for which more waits gets no further replays: thousands of clients that return at once must not flood it. */
const REPLAY_BACKLOG_BYTES = 4_194_304;

export class Returns {
  readonly #order: Order;
  readonly #sessions: SessionStore;
  readonly #evictions: Evictions;

  constructor({ order, sessions, evictionTimeoutMs }: ReturnsOptions) {
    this.#order = order;
    this.#sessions = sessions;
    this.#evictions = new Evictions(evictionTimeoutMs);
  }

  /** A client of the worker's asks for its session, and gets it when those before it have theirs. */
  add(worker: HubWorker, request: HubRestoreMessage, now: number): void {
    worker.waitingRestores.push(request);
    this.serve(worker, now);
  }

  /** Serves clients that wait, as far as the worker takes what is sent to it. */
  serve(worker: HubWorker, now: number): void {
    while (worker.link.queuedBytes <= REPLAY_BACKLOG_BYTES) {
      const request = worker.waitingRestores.shift();
      if (request === undefined) return;
      this.#restore({ worker, request }, now);
    }
  }

  /** The session's old connection is closed: a client that waits for that goes on. */
  onDetached(session: Session, now: number): void {
    for (const waiting of this.#evictions.end(session)) this.#restore(waiting, now);
  }

  /** The worker is gone, and with it the clients that had returned to it. */
  drop(worker: HubWorker): void {
    this.#evictions.drop(worker);
  }

  /** Gives up on workers that do not close old connections. */
  sweep(now: number): void {
    for (const session of this.#evictions.overdue(now)) {
      // What the old connection's worker has yet to say of it is stale from now on.
      this.#sessions.detach(session, true, now);
      this.onDetached(session, now);
    }
  }

  #restore(waiting: Return, now: number): void {
    const { worker, request } = waiting;
    const position = parsePosition(request.position);
    if (position === undefined || !this.#order.hasReached(position)) {
      this.#answer(waiting, "unknown", []);
      return;
    }
    const session = this.#sessions.find(request.namespace, request.pid, position.sequence, now);
    if (typeof session === "string") {
      this.#answer(waiting, session, []);
      return;
    }
    if (session.worker !== undefined) {
      this.#evict(session, session.worker, waiting, now);
      return;
    }
    this.#sessions.move(session, worker, request.key);
    const missed = this.#sessions.missed(session, position.sequence, this.#order.sequence);
    const outcome = { sid: session.sid, rooms: session.namedRooms() };
    this.#answer(waiting, outcome, [session.data ?? Buffer.alloc(0), ...missed]);
  }

  /** Has the old connection closed, once for all that wait for that. */
  #evict(session: Session, oldWorker: HubWorker, waiting: Return, now: number): void {
    if (!this.#evictions.add(session, waiting, now)) return;
    const { namespace, sid, key } = session;
    oldWorker.send({ type: "hub:evict", namespace, sid, key });
  }

  #answer({ worker, request }: Return, outcome: HubRestoredMessage["outcome"], parts: readonly Buffer[]): void {
    const { key } = request;
    const lengths = parts.map(({ length }) => length);
    const { sequence } = this.#order;
    worker.send({ type: "hub:restored", key, sequence, outcome, parts: lengths }, Buffer.concat(parts));
  }
}
