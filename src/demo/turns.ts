// One thing after the other for one client: messages keep their order although some take longer to render.

import { ChatRefusal } from "./parse-requests.ts";

const MAX_WAITING = 20;

export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Runs `work` when everything before it has ended, well or not. Refuses when too much is waiting. */
  async take<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#waiting >= MAX_WAITING) {
      throw new ChatRefusal("CHAT_ERR_TOO_FAST", "You are faster than the box. Wait a moment.");
    }
    this.#waiting++;
    const turn = this.#last.then(work).finally(() => {
      this.#waiting--;
    });
    this.#last = turn.catch(() => {});
    return turn;
  }
}
