// When a connection writes what waits: at once, or together with the others a moment later, so that one write takes more
// with it.
//
// A write wakes the process at the other end, and with many processes on few cores it is the wake-ups that a message costs,
// not its bytes. So where frames come so densely that a short wait finds company, they wait; anywhere else nothing does.

/** Writes what waits, and returns how many frames that were. */
export type Write = () => number;

export interface WriteTiming {
  /** Calls `write` once, when it is time; never before this returns. */
  schedule(write: Write): void;
}

/** Everything is written in the turn of the event loop in which it comes. */
export const AT_ONCE: WriteTiming = {
  schedule: (write) => void setImmediate(write),
};

/** How long is counted, at the least, to tell how densely something comes. */
const MEASURED_MS = 20;
/** Tells how many of something come in a millisecond, of late. */
export class Pace {
  readonly #leastMs: number;
  #measuredAt: number | undefined;
  #countThen = 0;
  #perMs = 0;

  /** `intervalMs` is the time whose share is to be known, in milliseconds. */
  constructor(intervalMs: number) {
    this.#leastMs = Math.max(MEASURED_MS, intervalMs);
  }

  /** `count` is how many there have been in all. The first time, what was before is not known. */
  perMs(count: number, nowMs: number): number {
    const measuredMs = nowMs - (this.#measuredAt ?? nowMs);
    if (this.#measuredAt === undefined || measuredMs >= this.#leastMs) {
      this.#perMs = measuredMs > 0 ? (count - this.#countThen) / measuredMs : 0;
      this.#countThen = count;
      this.#measuredAt = nowMs;
    }
    return this.#perMs;
  }
}

/**
 * Frames that must be expected within the longest wait. Measured: where there are 4 of them, waiting saves nothing that can be
 * seen, where there are 8 or 12 a tenth to a fifth of all CPU time.
 */
const WORTH_WAITING_FOR = 6;

/** A worker's: while frames come densely, there is a least time between two writes. */
export class WriteTicks implements WriteTiming {
  readonly #intervalMs: number;
  readonly #pace: Pace;
  #frames = 0;
  #tickedAt = Number.NEGATIVE_INFINITY;
  #waiting: Write[] = [];

  /** `intervalMs` is the least time between two writes, in milliseconds. 0: nothing waits. */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
    this.#pace = new Pace(intervalMs);
  }

  schedule(write: Write): void {
    this.#waiting.push(write);
    if (this.#waiting.length > 1) return;
    const now = performance.now();
    const isDense = this.#pace.perMs(this.#frames, now) * this.#intervalMs >= WORTH_WAITING_FOR;
    const waitMs = isDense ? Math.ceil(this.#tickedAt + this.#intervalMs - now) : 0;
    if (waitMs > 0) setTimeout(this.#tick, waitMs);
    else setImmediate(this.#tick);
  }

  readonly #tick = (): void => {
    this.#tickedAt = performance.now();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const write of waiting) this.#frames += write();
  };
}
