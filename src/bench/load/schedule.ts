// An open-loop schedule: message k is due at a fixed time, whatever became of the ones before it. Several processes
// share a rate by taking every n-th message.

export class Schedule {
  readonly #rate: number;
  readonly #shares: number;
  readonly #startUs: number;
  #next: number;

  /** `rate` is that of all processes together; `share` this one's place among `shares`. */
  constructor(rate: number, share: number, shares: number, startUs: number) {
    this.#rate = rate;
    this.#shares = shares;
    this.#startUs = startUs;
    this.#next = share;
  }

  /** Due time of the next message if it is due before `nowUs`, and moves on; else `undefined`. */
  take(nowUs: number): number | undefined {
    // Computed anew for each message: a sum of intervals would drift, and give one message too many or too few.
    const dueUs = this.#startUs + (this.#next * 1e6) / this.#rate;
    if (!(dueUs < nowUs)) return undefined;
    this.#next += this.#shares;
    return dueUs;
  }
}
