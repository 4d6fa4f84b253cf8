// Decides which worker gets a new client that belongs together with others: the one that its key hashes highest with
// (rendezvous hashing), so that a worker's coming or going moves the keys of that worker and no others. Nothing is
// remembered. A worker that is full of popular keys is passed over, in favour of the next in the key's order.

import type { WorkerLoad } from "./worker-load.ts";

/** Keys may fill a worker up to so many times the mean load. */
const MAX_OVER_MEAN = 1.25;

/** On a box with few clients a quarter is less than one room: up to so many above the mean are no burden. */
const FREE_CLIENTS = 12;

export interface AffineCandidate {
  readonly slot: number;
  readonly load: WorkerLoad;
}

/** The candidate for `key`; the same one for equal keys while it has room. `undefined` when there are no candidates. */
export function pickAffine<T extends AffineCandidate>(key: string, candidates: readonly T[]): T | undefined {
  const most = mostClients(candidates);
  const keyHash = hashKey(key);
  let best: T | undefined;
  let bestRank = -1;
  for (const candidate of candidates) {
    if (candidate.load.clients + 1 > most) continue;
    const rank = mix(keyHash ^ mix(candidate.slot + 1));
    if (rank > bestRank) {
      best = candidate;
      bestRank = rank;
    }
  }
  return best;
}

/** As `pickAffine`, and the client is assigned to it at once. */
export function assignAffine<T extends AffineCandidate>(key: string, candidates: readonly T[]): T | undefined {
  const picked = pickAffine(key, candidates);
  picked?.load.assign();
  return picked;
}

/** What a worker may have once the new client is in. The least loaded one is always below it. */
function mostClients(candidates: readonly AffineCandidate[]): number {
  const clients = candidates.reduce((sum, { load }) => sum + load.clients, 1);
  const mean = clients / candidates.length;
  return Math.max(mean * MAX_OVER_MEAN, mean + FREE_CLIENTS);
}

/** FNV-1a over the key's UTF-16 code units. Keys that collide share a worker, which is harmless. */
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
