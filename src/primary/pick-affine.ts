// Decides which worker gets a new client that belongs together with others: the one that got those before it. A key that is
// new, or whose worker is gone, goes to the worker that it hashes highest with (rendezvous hashing) among those that have no
// more clients than is usual, so that the keys that are about to grow are spread evenly before anybody knows by how much. A
// worker that is full of popular keys is passed over, in favour of the next in the key's order.

import type { WorkerLoad } from "./worker-load.ts";

/** Keys may fill a worker up to so many times the mean load. */
const MAX_OVER_MEAN = 1.25;

/** On a box with few clients a quarter is less than one room: up to so many above the mean are no burden. */
const FREE_CLIENTS = 12;

/** Clients choose the keys. Past this many, those that were not asked for longest are new again. */
const MAX_KEYS = 100_000;

export interface AffineCandidate {
  readonly slot: number;
  readonly load: WorkerLoad;
}

export class AffinePicker {
  /** By the key's hash, those asked for longest ago first. Keys that collide share a worker, which is harmless. */
  readonly #slots = new Map<number, number>();

  /**
   * The candidate for `key`, which the client is assigned to at once; the same one for equal keys while it is there and has
   * room. `undefined` when there are no candidates.
   */
  assign<T extends AffineCandidate>(key: string, candidates: readonly T[]): T | undefined {
    const hash = hashKey(key);
    const picked = this.#pick(hash, candidates);
    picked?.load.assign();
    return picked;
  }

  #pick<T extends AffineCandidate>(hash: number, candidates: readonly T[]): T | undefined {
    const mean = candidates.reduce((sum, { load }) => sum + load.clients, 1) / candidates.length;
    const most = Math.max(mean * MAX_OVER_MEAN, mean + FREE_CLIENTS);
    const slot = this.#slots.get(hash);
    const known = candidates.find((candidate) => candidate.slot === slot);
    const home = known ?? highest(hash, candidates, mean + 1);
    if (home === undefined) return undefined;
    this.#remember(hash, home.slot);
    return home.load.clients + 1 <= most ? home : highest(hash, candidates, most);
  }

  #remember(hash: number, slot: number): void {
    this.#slots.delete(hash);
    this.#slots.set(hash, slot);
    if (this.#slots.size <= MAX_KEYS) return;
    for (const oldest of this.#slots.keys()) {
      this.#slots.delete(oldest);
      return;
    }
  }
}

/** The candidate that the key hashes highest with, of those with no more than `most` clients once the new one is in. */
function highest<T extends AffineCandidate>(keyHash: number, candidates: readonly T[], most: number): T | undefined {
  let best: T | undefined;
  let bestRank = -1;
  for (const candidate of candidates) {
    // The least loaded one never has too many.
    if (candidate.load.clients + 1 > most) continue;
    const rank = mix(keyHash ^ mix(candidate.slot + 1));
    if (rank > bestRank) {
      best = candidate;
      bestRank = rank;
    }
  }
  return best;
}

/** FNV-1a over the key's UTF-16 code units. */
function hashKey(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash;
}

/** MurmurHash3's finalizer: every bit of the input changes half of the output's. */
function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
