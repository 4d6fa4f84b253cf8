// In which order the members of one room, in one load process, saw its messages.
// Members that agree share one list, so it costs one entry a message, not one a delivery. A member that sees something
// else (after a gap, a lost session, or because the server has no total order) writes a branch of its own until it is
// back in step. Whether list and branches fit one order is decided later, see `find-disagreement.ts`.

import { NumberList } from "./number-list.ts";

/** Where a member is in the order. Made by `RoomOrder`, changed by it alone. */
export interface Cursor {
  at: number;
  branch: NumberList | undefined;
}

/** Entries that all rooms of a process may still use. */
export interface OrderBudget {
  left: number;
}

/** What tells two processes at a glance that they saw the same. */
export interface OrderDigest {
  readonly length: number;
  readonly hash: number;
  readonly branches: number;
}

/** How far from its place a member looks for the message that brings it back in step. */
const REJOIN_WINDOW = 512;

export class RoomOrder {
  readonly #shared = new NumberList();
  readonly #branches: NumberList[] = [];
  readonly #budget: OrderBudget;
  #hash = 0x811c9dc5;

  constructor(budget: OrderBudget) {
    this.#budget = budget;
  }

  /** A member that is there before the first message. */
  enterAtStart(): Cursor {
    return { at: 0, branch: undefined };
  }

  /** A member that comes later: nothing is known of it until it sees a message that others saw too. */
  enterLate(): Cursor {
    const cursor: Cursor = { at: this.#shared.length, branch: undefined };
    cursor.branch = this.#newBranch();
    return cursor;
  }

  /** The member may have missed something: it no longer adds to the shared list. */
  detach(cursor: Cursor): void {
    if (cursor.branch !== undefined) return;
    cursor.branch = this.#newBranch();
    const last = this.#shared.at(cursor.at - 1);
    if (last !== undefined) this.#push(cursor.branch, last);
  }

  /** The member saw the message `key` next. */
  see(cursor: Cursor, key: number): void {
    if (cursor.branch === undefined) {
      const next = this.#shared.at(cursor.at);
      if (next === undefined) this.#append(key);
      if (next === undefined || next === key) {
        cursor.at++;
        return;
      }
      this.detach(cursor);
    }
    this.#branchOut(cursor, key);
  }

  digest(): OrderDigest {
    return { length: this.#shared.length, hash: this.#hash, branches: this.#branches.length };
  }

  /** The shared list and all branches. */
  sequences(): Float64Array[] {
    return [this.#shared, ...this.#branches].map((list) => list.toArray());
  }

  #branchOut(cursor: Cursor, key: number): void {
    if (cursor.branch !== undefined) this.#push(cursor.branch, key);
    const same = this.#shared.indexOf(key, cursor.at - REJOIN_WINDOW, cursor.at + REJOIN_WINDOW);
    if (same < 0) return;
    cursor.at = same + 1;
    cursor.branch = undefined;
  }

  #append(key: number): void {
    this.#push(this.#shared, key);
    this.#hash = Math.imul(this.#hash ^ (key >>> 0), 0x01000193);
    this.#hash = Math.imul(this.#hash ^ Math.floor(key / 2 ** 32), 0x01000193) >>> 0;
  }

  #push(list: NumberList, key: number): void {
    this.#budget.left--;
    if (this.#budget.left >= 0) list.push(key);
  }

  #newBranch(): NumberList {
    const branch = new NumberList();
    this.#branches.push(branch);
    return branch;
  }
}
