// When the primary reads and writes.
//
// A message that comes alone wakes the primary, which finds its caches cold, and costs three times what it costs among
// others. So while messages come densely the primary works in rounds: it sleeps until the next one is due, takes all that
// has come meanwhile, and writes all that waits. It is the process that sleeps, not only its timers: stopping and starting
// to read many connections would cost as much as it saves.
//
//   round --what came before that is taken--> rest, until the interval is over --what came is taken--> round

import { Pace, type Write, type WriteTiming } from "./write-timing.ts";

/** Messages that must come in an interval for rounds to begin; with half of that they end. */
const WORTH_A_ROUND = 8;
/** Where more come than so many, rounds follow each other sooner, up to twice as often: more would not save more. */
const ENOUGH_FOR_A_ROUND = 32;
/** Whatever the interval, nobody else waits longer for a turn of the event loop. */
const MAX_SLEEP_MS = 10;

/** How the thread knows the time, in milliseconds, and lets it pass. */
export interface ThreadClock {
  now(): number;
  /** Stops the thread for so long. */
  sleep(ms: number): void;
}

export interface RoundsOptions {
  /** From round to round, in milliseconds. 0: there are none. */
  readonly intervalMs: number;
  /** How many messages there have been in all. */
  readonly messages: () => number;
  /** Whether nothing is under way that takes many turns of the event loop, and would go on at a turn an interval. */
  readonly maySleep: () => boolean;
  readonly clock?: ThreadClock;
}

export class Rounds implements WriteTiming {
  readonly #options: RoundsOptions;
  readonly #clock: ThreadClock;
  readonly #pace: Pace;
  #waiting: Write[] = [];
  #isDue = false;
  #isInRounds = false;
  #roundAt = 0;
  #messagesPerMs = 0;

  constructor(options: RoundsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? THREAD_CLOCK;
    this.#pace = new Pace(options.intervalMs);
  }

  schedule(write: Write): void {
    this.#waiting.push(write);
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(this.#round);
  }

  readonly #round = (): void => {
    this.#roundAt = this.#clock.now();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const write of waiting) write();
    this.#messagesPerMs = this.#pace.perMs(this.#options.messages(), this.#roundAt);
    this.#isInRounds = this.#isWorthIt();
    this.#isDue = this.#isInRounds || this.#waiting.length > 0;
    // Not in this turn: others may have something to do in it.
    if (this.#isInRounds) setImmediate(this.#rest);
    else if (this.#isDue) setImmediate(this.#round);
  };

  readonly #rest = (): void => {
    const leftMs = this.#roundAt + this.#intervalMs() - this.#clock.now();
    if (leftMs > 0 && !this.#options.maySleep()) {
      setTimeout(this.#round, leftMs);
      return;
    }
    if (leftMs > 0) this.#clock.sleep(Math.min(leftMs, MAX_SLEEP_MS));
    // The event loop reads before it comes to what is immediate.
    setImmediate(leftMs > MAX_SLEEP_MS ? this.#rest : this.#round);
  };

  #isWorthIt(): boolean {
    const least = this.#isInRounds ? WORTH_A_ROUND / 2 : WORTH_A_ROUND;
    return this.#messagesPerMs * this.#options.intervalMs >= least;
  }

  #intervalMs(): number {
    const { intervalMs } = this.#options;
    return Math.max(intervalMs / 2, Math.min(intervalMs, ENOUGH_FOR_A_ROUND / this.#messagesPerMs));
  }
}

const NEVER_WOKEN = new Int32Array(new SharedArrayBuffer(4));

const THREAD_CLOCK: ThreadClock = {
  now: () => performance.now(),
  sleep: (ms) => void Atomics.wait(NEVER_WOKEN, 0, 0, ms),
};
