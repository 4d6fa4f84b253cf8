// A list of doubles that grows without boxing them: orders of messages are millions of entries long.

export class NumberList {
  #items: Float64Array;
  #length = 0;

  constructor(capacity = 16) {
    this.#items = new Float64Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#items.length) {
      const larger = new Float64Array(this.#length * 2);
      larger.set(this.#items);
      this.#items = larger;
    }
    this.#items[this.#length++] = value;
  }

  /** `undefined` outside the list. */
  at(index: number): number | undefined {
    return index < this.#length ? this.#items[index] : undefined;
  }

  /** Index of `value` from `from` up to (not including) `to`, or -1. */
  indexOf(value: number, from: number, to: number): number {
    const end = Math.min(to, this.#length);
    for (let i = Math.max(0, from); i < end; i++) if (this.#items[i] === value) return i;
    return -1;
  }

  toArray(): Float64Array {
    return this.#items.slice(0, this.#length);
  }
}
