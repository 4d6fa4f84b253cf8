// Decides when a process that ended may be forked again.
// Nothing is scheduled here and the clock comes in as an argument: the supervisor owns the timers.

import { InvalidOptionError } from "../errors.ts";

export interface RestartOptions {
  /**
   * Wait before the first restart, in milliseconds. Doubles with every further crash in a row, up to `maxDelayMs`.
   * @default 100
   */
  readonly minDelayMs?: number;
  /** Longest wait between two restarts, in milliseconds. @default 10_000 */
  readonly maxDelayMs?: number;
  /** A process that ran this long was stable: its crash is the first in a row again. In milliseconds. @default 10_000 */
  readonly stableAfterMs?: number;
  /** So many crashes in a row are a crash loop. @default 10 */
  readonly crashLoopAfter?: number;
  /** Wait before every restart in a crash loop, in milliseconds. @default 60_000 */
  readonly crashLoopPauseMs?: number;
}

export class RestartPolicy {
  readonly #minDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #stableAfterMs: number;
  readonly #crashLoopAfter: number;
  readonly #crashLoopPauseMs: number;
  #crashesInARow = 0;

  constructor(options: RestartOptions = {}) {
    const { minDelayMs = 100, maxDelayMs = 10_000, stableAfterMs = 10_000 } = options;
    const { crashLoopAfter = 10, crashLoopPauseMs = 60_000 } = options;
    if (!(minDelayMs > 0)) throw new InvalidOptionError("restart.minDelayMs", "a positive number", minDelayMs);
    if (!(maxDelayMs >= minDelayMs)) {
      throw new InvalidOptionError("restart.maxDelayMs", "at least `minDelayMs`", maxDelayMs);
    }
    if (!(stableAfterMs >= 0)) throw new InvalidOptionError("restart.stableAfterMs", "zero or more", stableAfterMs);
    if (!(crashLoopAfter >= 1)) throw new InvalidOptionError("restart.crashLoopAfter", "at least 1", crashLoopAfter);
    if (!(crashLoopPauseMs > 0)) {
      throw new InvalidOptionError("restart.crashLoopPauseMs", "a positive number", crashLoopPauseMs);
    }

    this.#minDelayMs = minDelayMs;
    this.#maxDelayMs = maxDelayMs;
    this.#stableAfterMs = stableAfterMs;
    this.#crashLoopAfter = crashLoopAfter;
    this.#crashLoopPauseMs = crashLoopPauseMs;
  }

  get crashesInARow(): number {
    return this.#crashesInARow;
  }

  /** It crashed so often in a row that restarting it soon again only costs the others. */
  get isCrashLoop(): boolean {
    return this.#crashesInARow >= this.#crashLoopAfter;
  }

  /** The crashes so far do not count any more: what is started from now on is something else. */
  reset(): void {
    this.#crashesInARow = 0;
  }

  /** Records a crash after `uptimeMs` of service and returns how long to wait before forking again, in milliseconds. */
  delayAfterCrash(uptimeMs: number): number {
    if (uptimeMs >= this.#stableAfterMs) this.#crashesInARow = 0;
    const delayMs = this.#minDelayMs * 2 ** this.#crashesInARow;
    this.#crashesInARow++;
    return this.isCrashLoop ? this.#crashLoopPauseMs : Math.min(delayMs, this.#maxDelayMs);
  }
}
