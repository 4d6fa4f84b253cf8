// Decides which worker gets a new client: the least loaded one, counting clients when they are assigned.
//
// Two things make a worker's load heavier than its clients say. Its event loop is late, and later than those of the
// others: it gets fewer, down to an eighth. Or it is new: it would get every client until it has as many as the others,
// and for its first seconds it takes no more than twice its share, so that it can warm up. Where all began together, as
// when the box starts, none is spared.

import type { WorkerLoad } from "./worker-load.ts";

interface Candidate {
  readonly slot: number;
  readonly load: WorkerLoad;
}

/** Lag that is no burden: a few handshakes, or a garbage collection. */
const FREE_LAG_MS = 100;
/** Where all are late, the machine is: only who is so many times as late as is typical counts as slow. */
const LATE_OVER_TYPICAL = 2;
/** A client more on the slowest worker is like so many on another. */
const MAX_SLOWNESS = 8;

export class WorkerPicker {
  #lastSlot = -1;

  /** The candidate for a new client, which is assigned to it at once. `undefined` when there are no candidates. */
  assign<T extends Candidate>(candidates: readonly T[], nowMs: number): T | undefined {
    const picked = pickLeastLoaded(this.#inTurn(candidates), nowMs);
    if (picked === undefined) return undefined;
    this.#lastSlot = picked.slot;
    for (const candidate of candidates) {
      if (candidate === picked) candidate.load.assign();
      else candidate.load.passOver();
    }
    return picked;
  }

  /** Equals take turns: the search begins behind the slot that was picked last. */
  #inTurn<T extends Candidate>(candidates: readonly T[]): readonly T[] {
    const next = candidates.findIndex(({ slot }) => slot > this.#lastSlot);
    return next <= 0 ? candidates : [...candidates.slice(next), ...candidates.slice(0, next)];
  }
}

/** The first of those that are least loaded. */
function pickLeastLoaded<T extends Candidate>(candidates: readonly T[], nowMs: number): T | undefined {
  const lags = candidates.map(({ load }) => load.lagMs(nowMs));
  const free = Math.max(FREE_LAG_MS, LATE_OVER_TYPICAL * median(lags));
  const mean = candidates.reduce((sum, { load }) => sum + load.clients, 0) / candidates.length;
  const eldestMs = Math.max(...candidates.map(({ load }) => load.ageMs(nowMs)));
  let best: T | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [i, candidate] of candidates.entries()) {
    const { load } = candidate;
    // Who has as many as the others needs no sparing, and there is always somebody who has.
    const isSpared = !load.cameWith(eldestMs, nowMs) && load.isAheadOfItsShare(candidates.length, nowMs);
    if (isSpared && load.clients < mean) continue;
    const weight = (load.clients + 1) * slowness((lags[i] ?? 0) - free);
    if (weight >= least) continue;
    best = candidate;
    least = weight;
  }
  return best;
}

function slowness(excessMs: number): number {
  return Math.min(MAX_SLOWNESS, 1 + Math.max(0, excessMs) / FREE_LAG_MS);
}

/** Of two, the lower one: a slow worker is no measure for itself. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
}
