// Sessions whose client has returned while their old connection was still open. The old connection is closed first: what
// the client said on it takes its place in the order, and what its data is becomes known, before the new one goes on.
// A worker that stands still closes nothing: it is waited for until it is killed, but only so long.

import type { HubRestoreMessage } from "../bus/hub-messages.ts";
import type { HubWorker } from "./hub-worker.ts";
import type { Session } from "./session.ts";

/** A client that wants its session: who asks for it, and how. */
export interface Return {
  readonly worker: HubWorker;
  readonly request: HubRestoreMessage;
}

interface Eviction {
  readonly since: number;
  readonly returns: Return[];
}

export class Evictions {
  readonly #timeoutMs: number;
  readonly #open = new Map<Session, Eviction>();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Notes that a client waits. Returns whether it is the first: then the old connection is to be closed. */
  add(session: Session, waiting: Return, now: number): boolean {
    const eviction = this.#open.get(session);
    if (eviction === undefined) this.#open.set(session, { since: now, returns: [waiting] });
    else eviction.returns.push(waiting);
    return eviction === undefined;
  }

  /** The old connection is closed: returns the clients that waited for that, in order. */
  end(session: Session): readonly Return[] {
    const { returns = [] } = this.#open.get(session) ?? {};
    this.#open.delete(session);
    return returns;
  }

  /** The worker is gone, and with it the clients that had returned to it. */
  drop(worker: HubWorker): void {
    for (const [session, { since, returns }] of this.#open) {
      const left = returns.filter((waiting) => waiting.worker !== worker);
      if (left.length < returns.length) this.#open.set(session, { since, returns: left });
    }
  }

  /** Sessions whose old connection should have been closed by now. */
  overdue(now: number): Session[] {
    return [...this.#open].flatMap(([session, { since }]) => (since + this.#timeoutMs <= now ? [session] : []));
  }
}
