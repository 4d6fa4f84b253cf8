// Keeps the last file descriptors of the primary for the box itself: to fork a worker, to answer the operator. Without
// any, libuv accepts connections and closes them without a word, and nothing can be forked.

import type { Socket } from "node:net";
import { readMaxFds } from "../lib/max-fds.ts";
import { handleOf } from "../lib/reading.ts";

/** A fork takes six for a moment. */
const KEPT = 64;
/** Where there are few, most of them are for clients. */
const KEPT_SHARE = 1 / 4;

export class FdHeadroom {
  readonly #firstKept: number;

  constructor(maxFds = readMaxFds() ?? Number.POSITIVE_INFINITY) {
    this.#firstKept = maxFds - Math.min(KEPT, Math.floor(maxFds * KEPT_SHARE));
  }

  /** A new descriptor has the lowest number that is free: a high one means that few are left. */
  isUsedUpBy(socket: Socket): boolean {
    return (handleOf(socket)?.fd ?? 0) >= this.#firstKept;
  }
}
