// Decides when a connection writes what waits: at once, or a moment later, so that one write takes more with it.
//
// A write wakes the process at the other end, and with many processes on few cores it is the wake-ups that a message costs,
// not its bytes. So where frames come so densely that a short wait finds company, they wait; anywhere else nothing does.
// No timer and no clock: the caller says what time it is.

/** How long frames are counted to tell how densely they come. */
const MEASURED_MS = 20;
/** Frames that must be expected within the wait. */
const WORTH_WAITING_FOR = 1.5;

export class FlushPace {
  readonly #intervalMs: number;
  #flushedAt = Number.NEGATIVE_INFINITY;
  #measuredFrom = 0;
  #frames = 0;
  #framesPerMs = 0;

  /** `intervalMs` is the least time between two writes when frames come densely. 0: never wait. */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** How long the first frame since the last write waits, in whole milliseconds; 0: not at all. */
  waitMs(nowMs: number): number {
    if (this.#intervalMs === 0) return 0;
    const measuredMs = nowMs - this.#measuredFrom;
    if (measuredMs >= MEASURED_MS) {
      this.#framesPerMs = this.#frames / measuredMs;
      this.#frames = 0;
      this.#measuredFrom = nowMs;
    }
    if (this.#framesPerMs * this.#intervalMs < WORTH_WAITING_FOR) return 0;
    return Math.max(0, Math.ceil(this.#flushedAt + this.#intervalMs - nowMs));
  }

  flushed(nowMs: number, frames: number): void {
    this.#flushedAt = nowMs;
    this.#frames += frames;
  }
}
