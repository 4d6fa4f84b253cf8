// Latencies in bounded memory: exact up to 255 µs, above that 128 steps to each doubling (at most 0.8 % off).
// Histograms of several processes are added up, which averages and percentiles themselves cannot be.

import type { LatencySummary } from "./contract.ts";

const STEP_BITS = 7;
const STEPS = 2 ** STEP_BITS;
const MAX_VALUE = 2 ** 31 - 1;
const SLOTS = slotOf(MAX_VALUE) + 1;

/** Pairs of slot and count, flattened: what one process tells another. */
export interface SparseHistogram {
  readonly slots: readonly number[];
  readonly sumUs: number;
  readonly maxUs: number;
}

const CURVE_POINTS = [0, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.99, 99.999, 100];

/** Values are whole microseconds from 0 to 2^31 - 1 (35 minutes); what lies outside is counted at the border. */
export class Histogram {
  readonly #counts = new Uint32Array(SLOTS);
  #count = 0;
  #sumUs = 0;
  #maxUs = 0;

  get count(): number {
    return this.#count;
  }

  get maxUs(): number {
    return this.#maxUs;
  }

  record(us: number): void {
    const value = us < 0 ? 0 : us > MAX_VALUE ? MAX_VALUE : us | 0;
    const slot = slotOf(value);
    this.#counts[slot] = (this.#counts[slot] as number) + 1;
    this.#count++;
    this.#sumUs += value;
    if (value > this.#maxUs) this.#maxUs = value;
  }

  /** The value, in microseconds, that a share `q` (0 to 1) of all samples does not exceed; 0 without samples. */
  quantileUs(q: number): number {
    const rank = Math.max(1, Math.ceil(q * this.#count));
    let seen = 0;
    for (let slot = 0; slot < SLOTS; slot++) {
      seen += this.#counts[slot] as number;
      if (seen >= rank) return Math.min(highestOf(slot), this.#maxUs);
    }
    return this.#maxUs;
  }

  add(other: SparseHistogram): void {
    for (let i = 0; i + 1 < other.slots.length; i += 2) {
      const slot = other.slots[i] as number;
      const count = other.slots[i + 1] as number;
      this.#counts[slot] = (this.#counts[slot] as number) + count;
      this.#count += count;
    }
    this.#sumUs += other.sumUs;
    if (other.maxUs > this.#maxUs) this.#maxUs = other.maxUs;
  }

  toSparse(): SparseHistogram {
    const slots: number[] = [];
    for (let slot = 0; slot < SLOTS; slot++) {
      const count = this.#counts[slot] as number;
      if (count > 0) slots.push(slot, count);
    }
    return { slots, sumUs: this.#sumUs, maxUs: this.#maxUs };
  }

  summary(): LatencySummary {
    return {
      count: this.#count,
      mean: this.#count === 0 ? 0 : this.#sumUs / this.#count / 1000,
      p50: this.#quantileMs(0.5),
      p90: this.#quantileMs(0.9),
      p99: this.#quantileMs(0.99),
      p999: this.#quantileMs(0.999),
      p9999: this.#quantileMs(0.9999),
      max: this.#maxUs / 1000,
      curve: CURVE_POINTS.map((percentile) => [percentile / 100, this.#quantileMs(percentile / 100)] as const),
    };
  }

  #quantileMs(q: number): number {
    return this.quantileUs(q) / 1000;
  }
}

export function mergeHistograms(parts: Iterable<SparseHistogram>): Histogram {
  const all = new Histogram();
  for (const part of parts) all.add(part);
  return all;
}

// Below STEPS a slot is a value. Above, `shift` low bits are given up, and every shift has STEPS slots.
function slotOf(value: number): number {
  if (value < STEPS) return value;
  const shift = 31 - Math.clz32(value) - STEP_BITS;
  return shift * STEPS + (value >>> shift);
}

function highestOf(slot: number): number {
  if (slot < 2 * STEPS) return slot;
  const shift = (slot >>> STEP_BITS) - 1;
  return (slot - shift * STEPS + 1) * 2 ** shift - 1;
}
