// Decides whether a process does not read its bus connection: bytes wait for it, and for a while it has taken none.
// No timer and no clock: the caller says what time it is, at regular intervals.

import { HangWatch, type HangWatchOptions } from "./hang-watch.ts";

/** What has been sent to the process: all numbers in bytes, over the life of the connection. */
export interface Backlog {
  /** Waiting to be taken. */
  readonly queuedBytes: number;
  readonly takenBytes: number;
}

export class StallWatch {
  readonly #silence: HangWatch;
  #takenBytes = 0;

  constructor(options: HangWatchOptions) {
    this.#silence = new HangWatch(options);
  }

  /** How long bytes have waited with none taken, in milliseconds; 0 when none wait. */
  get stalledMs(): number {
    return this.#silence.silentMs;
  }

  /** Whether it has taken nothing for too long. */
  isStalled(nowMs: number, { queuedBytes, takenBytes }: Backlog): boolean {
    const isOverdue = this.#silence.isHung(nowMs);
    const hasRead = queuedBytes === 0 || takenBytes !== this.#takenBytes;
    this.#takenBytes = takenBytes;
    if (hasRead) this.#silence.heard();
    return isOverdue && !hasRead;
  }
}
