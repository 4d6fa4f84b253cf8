// The acks that one client waits for: each question is answered once. In no order, because slow work may be overtaken.

export class AckBook {
  readonly #open = new Map<number, number>();

  get size(): number {
    return this.#open.size;
  }

  /** Message `number`, due at `dueUs`, was sent and asks for an ack. */
  opened(number: number, dueUs: number): void {
    this.#open.set(number, dueUs);
  }

  /** When the acked message was due; `undefined` for an ack that nobody waits for (any more). */
  answered(number: number): number | undefined {
    const dueUs = this.#open.get(number);
    this.#open.delete(number);
    return dueUs;
  }

  /** The connection broke: these may have been accepted or not. Nobody waits for them any more. */
  abandonAll(): number[] {
    const numbers = [...this.#open.keys()];
    this.#open.clear();
    return numbers;
  }
}
