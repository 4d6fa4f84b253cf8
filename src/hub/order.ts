// The box's one order: which place is next, and which places clients' positions name.

import { randomBytes } from "node:crypto";
import type { Position } from "../bus/position.ts";
import type { Life } from "./hub-state.ts";

/** Former lives that are remembered: a client that has heard nothing since an older one starts afresh. */
const MAX_FORMER_LIVES = 16;

export class Order {
  /** Names this life of the hub. Positions of another one mean nothing here, unless this one has taken up its state. */
  readonly epoch = randomBytes(8).readBigUInt64BE().toString(36).padStart(8, "0").slice(-8);
  #sequence = 0;
  #formerLives: readonly Life[] = [];

  /** The last place that was given. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Gives the next place. */
  next(): number {
    this.#sequence++;
    return this.#sequence;
  }

  /** Whether the position is one of this life, or of a former one that is remembered. */
  hasReached({ epoch, sequence }: Position): boolean {
    if (epoch === this.epoch) return sequence <= this.#sequence;
    return this.#formerLives.some((life) => epoch === life.epoch && sequence <= life.lastSequence);
  }

  /** This life and the former ones, the latest one last. */
  lives(): Life[] {
    return [...this.#formerLives, { epoch: this.epoch, lastSequence: this.#sequence }];
  }

  /** Goes on where another order ended. */
  continue(sequence: number, lives: readonly Life[]): void {
    this.#sequence = sequence;
    this.#formerLives = lives.slice(-MAX_FORMER_LIVES);
  }

  forgetFormerLives(): void {
    this.#formerLives = [];
  }
}
