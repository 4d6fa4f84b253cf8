// What is known of the addresses that connections come from: how many are open, and how fast they came.
// An address without connections is forgotten once its bucket is full again, as it is then as good as a new one.

import { type RateLimit, TokenBucket } from "../../limits/rate-limit.ts";

export interface AddressEntry {
  readonly network: string;
  /** Connections that are open, whatever they are for. */
  open: number;
  /** Those of them that count against the limit. */
  counted: number;
  readonly bucket: TokenBucket;
}

/** Most addresses without connections that are remembered. Past it the one that left first is forgotten. */
const MAX_IDLE = 100_000;

export class AddressBook {
  readonly #rate: RateLimit;
  readonly #present = new Map<string, AddressEntry>();
  /** Without connections; who left first comes first. */
  readonly #idle = new Map<string, AddressEntry>();

  constructor(rate: RateLimit) {
    this.#rate = rate;
  }

  get size(): number {
    return this.#present.size + this.#idle.size;
  }

  /** The entry of an address, made when there is none. Say `leave` when it has no connection. */
  enter(network: string, nowMs: number): AddressEntry {
    const known = this.#present.get(network) ?? this.#idle.get(network);
    const entry = known ?? { network, open: 0, counted: 0, bucket: new TokenBucket(this.#rate, nowMs) };
    this.#idle.delete(network);
    this.#present.set(network, entry);
    return entry;
  }

  /** The address has no connection left. */
  leave(entry: AddressEntry, nowMs: number): void {
    this.#present.delete(entry.network);
    if (!this.#isForgettable(entry, nowMs)) this.#idle.set(entry.network, entry);
    this.#forget(nowMs);
  }

  /** Two at most for each that comes: the book shrinks, and no call takes long. */
  #forget(nowMs: number): void {
    for (let i = 0; i < 2; i++) {
      const [oldest] = this.#idle.values();
      if (oldest === undefined) return;
      if (this.#idle.size <= MAX_IDLE && !this.#isForgettable(oldest, nowMs)) return;
      this.#idle.delete(oldest.network);
    }
  }

  #isForgettable({ bucket }: AddressEntry, nowMs: number): boolean {
    return this.#rate.perSecond === 0 || bucket.isFull(nowMs);
  }
}
