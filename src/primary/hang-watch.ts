// Decides whether a process hangs: it was silent for too long, while we listened.
// No timer and no clock: the caller says what time it is, at regular intervals.

export interface HangWatchOptions {
  /** Longest silence, in milliseconds. */
  readonly timeoutMs: number;
  /** How often `isHung` is asked, in milliseconds. */
  readonly everyMs: number;
}

export class HangWatch {
  readonly #timeoutMs: number;
  readonly #everyMs: number;
  #silentMs = 0;
  #askedAtMs: number | undefined;

  constructor({ timeoutMs, everyMs }: HangWatchOptions) {
    this.#timeoutMs = timeoutMs;
    this.#everyMs = everyMs;
  }

  /** How long it has been silent, as far as anybody asked. */
  get silentMs(): number {
    return this.#silentMs;
  }

  /** The process gave a sign of life. */
  heard(): void {
    this.#silentMs = 0;
  }

  /**
   * Whether it has been silent for too long. Time in which nobody asked hardly counts: then it was this process that
   * stood still (a suspended machine, a debugger), with signs of life still unread.
   */
  isHung(nowMs: number): boolean {
    const passedMs = nowMs - (this.#askedAtMs ?? nowMs);
    this.#askedAtMs = nowMs;
    this.#silentMs += Math.min(passedMs, this.#everyMs * 2);
    return this.#silentMs >= this.#timeoutMs;
  }
}
