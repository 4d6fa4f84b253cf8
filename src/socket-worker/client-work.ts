// Counts what handlers have begun for a client and not ended: acks that it waits for, async handlers that run.
// A worker that drains moves a client when there is none, so that no answer is lost on the way.

export class ClientWork {
  readonly #open = new WeakMap<object, number>();

  begin(client: object): void {
    this.#open.set(client, (this.#open.get(client) ?? 0) + 1);
  }

  end(client: object): void {
    const left = (this.#open.get(client) ?? 0) - 1;
    if (left > 0) this.#open.set(client, left);
    else this.#open.delete(client);
  }

  /** `work` must not reject. */
  during(client: object, work: Promise<unknown>): void {
    this.begin(client);
    void work.then(() => this.end(client));
  }

  isBusy(client: object): boolean {
    return this.#open.has(client);
  }
}
