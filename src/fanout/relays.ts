// Requests of other servers that are being answered by the workers of this box: collects the parts, answers once.

import type { Peer } from "../bus/peers.ts";
import { mergeAnswers } from "./merge-answers.ts";
import type { ServerRequest } from "./wire-format.ts";

export interface RelaysOptions {
  /** The one response of this box is ready. */
  readonly respond: (nsp: string, request: ServerRequest, response: string) => void;
  /** The request gets no answer: too many are open, or a worker did not do its part in time. */
  readonly onDropped: () => void;
}

interface Relay {
  readonly nsp: string;
  readonly request: ServerRequest;
  readonly waitingFor: Set<Peer>;
  readonly parts: string[];
  readonly timer: NodeJS.Timeout;
}

/** How long @socket.io/redis-adapter waits for answers unless told otherwise: a later one is of no use. */
const DEADLINE_MS = 5000;
const MAX_OPEN = 10_000;

export class Relays {
  readonly #options: RelaysOptions;
  readonly #open = new Map<number, Relay>();
  #lastId = 0;

  constructor(options: RelaysOptions) {
    this.#options = options;
  }

  /** Returns the id under which each of `workers` is to give its part; `undefined` when there are too many already. */
  begin(nsp: string, request: ServerRequest, workers: Iterable<Peer>): number | undefined {
    if (this.#open.size >= MAX_OPEN) {
      this.#options.onDropped();
      return undefined;
    }
    const id = ++this.#lastId;
    const timer = setTimeout(() => this.#expire(id), DEADLINE_MS);
    this.#open.set(id, { nsp, request, waitingFor: new Set(workers), parts: [], timer });
    return id;
  }

  answer(id: number, worker: Peer, part: string): void {
    const relay = this.#open.get(id);
    if (relay === undefined || !relay.waitingFor.has(worker)) return;
    relay.parts.push(part);
    this.#settle(id, relay, worker);
  }

  /** A worker that is gone has nothing to add. */
  leave(worker: Peer): void {
    for (const [id, relay] of this.#open) this.#settle(id, relay, worker);
  }

  close(): void {
    for (const { timer } of this.#open.values()) clearTimeout(timer);
    this.#open.clear();
  }

  #settle(id: number, { nsp, request, waitingFor, parts, timer }: Relay, worker: Peer): void {
    waitingFor.delete(worker);
    if (waitingFor.size > 0) return;
    clearTimeout(timer);
    this.#open.delete(id);
    const response = mergeAnswers(request, parts);
    if (response !== undefined) this.#options.respond(nsp, request, response);
  }

  #expire(id: number): void {
    this.#open.delete(id);
    this.#options.onDropped();
  }
}
