// An open-loop schedule: message k is due at a fixed time, whatever became of the ones before it. Several processes
// share a rate by taking every n-th message.

export class Schedule {
  readonly #intervalUs: number;
  #nextDueUs: number;

  /** `rate` is that of all processes together; `share` this one's place among `shares`. */
  constructor(rate: number, share: number, shares: number, startUs: number) {
    this.#intervalUs = (1e6 / rate) * shares;
    this.#nextDueUs = startUs + (1e6 / rate) * share;
  }

  /** Due time of the next message if it is due before `nowUs`, and moves on; else `undefined`. */
  take(nowUs: number): number | undefined {
    if (!(this.#nextDueUs < nowUs)) return undefined;
    const dueUs = this.#nextDueUs;
    this.#nextDueUs += this.#intervalUs;
    return dueUs;
  }
}
