// Whose turn it is to send. Clients of one room have neighbouring ids, so the order is shuffled: otherwise a room would
// get its messages in bursts.

/** The same shuffle for the same list length: runs can be compared. */
export function shuffle<T>(items: readonly T[]): T[] {
  const shuffled = [...items];
  let state = 1;
  for (let i = shuffled.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const j = state % (i + 1);
    [shuffled[i], shuffled[j]] = [shuffled[j] as T, shuffled[i] as T];
  }
  return shuffled;
}

/** Goes round and round. */
export class Rotation<T> {
  readonly #items: readonly T[];
  #at = 0;

  constructor(items: readonly T[]) {
    this.#items = shuffle(items);
  }

  /** The next one that `mayGo`, or `undefined` when none does. */
  next(mayGo: (item: T) => boolean): T | undefined {
    for (let tries = 0; tries < this.#items.length; tries++) {
      const item = this.#items[this.#at] as T;
      this.#at = (this.#at + 1) % this.#items.length;
      if (mayGo(item)) return item;
    }
    return undefined;
  }
}
