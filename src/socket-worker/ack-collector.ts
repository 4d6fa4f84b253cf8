// Gathers the acks of this worker's clients to one question, so that the asker gets them in one answer.
// What has come is sent after a moment all the same: when a client never answers, the asker wants the rest.

const FLUSH_AFTER_MS = 10;

/** Sends gathered acks; `isLast` says that no client of this worker owes one any more. */
export type SendAcks = (acks: readonly unknown[], isLast: boolean) => void;

export class AckCollector {
  readonly #send: SendAcks;
  #expected: number | undefined;
  #seen = 0;
  #gathered: unknown[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(send: SendAcks) {
    this.#send = send;
  }

  /** So many clients were asked. */
  expect(clients: number): void {
    this.#expected = clients;
    this.#settle();
  }

  add(ack: unknown): void {
    this.#seen++;
    this.#gathered.push(ack);
    this.#settle();
  }

  #settle(): void {
    if (this.#expected === this.#seen) this.#flush(true);
    else this.#timer ??= setTimeout(() => this.#flush(false), FLUSH_AFTER_MS);
  }

  #flush(isLast: boolean): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#gathered.length > 0 || isLast) this.#send(this.#gathered, isLast);
    this.#gathered = [];
  }
}
