// When a connection writes what waits: at once, or together with the others a moment later, so that one write takes more
// with it.
//
// A write wakes the process at the other end, and with many processes on few cores it is the wake-ups that a message costs,
// not its bytes. So where frames come so densely that a short wait finds company, they wait; anywhere else nothing does.

/** How long frames are counted to tell how densely they come. */
const MEASURED_MS = 20;
/**
 * Frames that must be expected within the longest wait. Measured: where there are 4 of them, waiting saves nothing that can be
 * seen, where there are 8 or 12 a tenth to a fifth of all CPU time.
 */
const WORTH_WAITING_FOR = 6;

/** Tells how densely frames come to one connection. No timer and no clock: the caller says what time it is. */
export class FlushPace {
  /** The moments at which the connection writes while they do. */
  readonly tick: FlushTick;
  readonly #denseFramesPerMs: number;
  #measuredFrom = 0;
  #frames = 0;
  #framesPerMs = 0;

  constructor(tick: FlushTick) {
    this.tick = tick;
    this.#denseFramesPerMs = WORTH_WAITING_FOR / tick.intervalMs;
  }

  /** Whether the first frame since the last write is likely to have company soon. */
  isDense(nowMs: number): boolean {
    const measuredMs = nowMs - this.#measuredFrom;
    if (measuredMs >= MEASURED_MS) {
      this.#framesPerMs = this.#frames / measuredMs;
      this.#frames = 0;
      this.#measuredFrom = nowMs;
    }
    return this.#framesPerMs >= this.#denseFramesPerMs;
  }

  flushed(frames: number): void {
    this.#frames += frames;
  }
}

/** The moments at which the connections of one process write together: it is woken once for all of them. */
export class FlushTick {
  readonly intervalMs: number;
  #tickedAt = Number.NEGATIVE_INFINITY;
  #waiting: (() => void)[] = [];

  /** `intervalMs` is the least time between two ticks, in milliseconds. 0: nothing waits for one. */
  constructor(intervalMs: number) {
    this.intervalMs = intervalMs;
  }

  /** Calls `flush` with the next tick. */
  add(flush: () => void): void {
    this.#waiting.push(flush);
    if (this.#waiting.length > 1) return;
    const waitMs = Math.ceil(this.#tickedAt + this.intervalMs - performance.now());
    if (waitMs > 0) setTimeout(() => this.#tick(), waitMs);
    else setImmediate(() => this.#tick());
  }

  #tick(): void {
    this.#tickedAt = performance.now();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const flush of waiting) flush();
  }
}
