// What the clients of one load process received of their rooms: every message once, each sender's numbers in order,
// all members in the same order. Knows no socket and no clock.

import type { MessageHead } from "../load/payload.ts";
import { Examples } from "./examples.ts";
import { ANY, eachUnseen, type Gap, gapOf, type Member } from "./member.ts";
import { keyOf, senderOf } from "./message-key.ts";
import { type OrderBudget, type OrderDigest, RoomOrder } from "./room-order.ts";
import type { SenderIndex } from "./sender-index.ts";

/** Sent and not known to have arrived: what is in it must reach all members or none. */
export type UncertainKeys = ReadonlySet<number>;

export interface RoomLedgerReport {
  readonly delivered: number;
  readonly lost: number;
  readonly missed: number;
  readonly duplicates: number;
  readonly senderOrder: number;
  readonly stray: number;
  /** Uncertain messages that a member here did not get, once for each such member. */
  readonly uncertainMissing: readonly number[];
  /** Uncertain messages that a member here did get. */
  readonly uncertainSeen: readonly number[];
  readonly orders: readonly (OrderDigest & { readonly room: number })[];
  /** False when there were more messages than the order check has memory for. */
  readonly isOrderComplete: boolean;
  readonly examples: readonly string[];
}

const MAX_ORDER_ENTRIES = 16_000_000;
const MAX_GAPS = 1_000_000;

export class RoomLedger {
  readonly #index: SenderIndex;
  readonly #sendersHear: boolean;
  readonly #members: Member[] = [];
  readonly #orders = new Map<number, RoomOrder>();
  readonly #budget: OrderBudget;
  readonly #examples = new Examples();
  #gapsLeft = MAX_GAPS;
  #delivered = 0;
  #unlistedLost = 0;
  #duplicates = 0;
  #senderOrder = 0;
  #stray = 0;

  constructor(index: SenderIndex, { sendersHear = true, maxOrderEntries = MAX_ORDER_ENTRIES } = {}) {
    this.#index = index;
    this.#sendersHear = sendersHear;
    this.#budget = { left: maxOrderEntries };
  }

  /** `when` is "late" when messages may have gone to the room before: the first one of each sender may then have any number. */
  join(client: number, room: number, when: "start" | "late"): Member {
    const order = this.#orderOf(room);
    const next = new Int32Array(this.#index.sendersTo(room).length).fill(when === "start" ? 0 : ANY);
    const ownSlot = this.#slotIn(room, client);
    if (ownSlot >= 0) next[ownSlot] = this.#sendersHear ? 0 : ANY;
    const member: Member = {
      client,
      room,
      next,
      excused: undefined,
      gaps: new Map(),
      order,
      cursor: when === "start" ? order.enterAtStart() : order.enterLate(),
      hasLeft: false,
    };
    this.#members.push(member);
    return member;
  }

  /** The hot path: a message arrived. */
  deliver(member: Member, head: MessageHead): void {
    const slot = this.#index.slotOf[head.sender] ?? -1;
    if (head.room !== member.room || slot < 0 || slot >= member.next.length) {
      this.#stray++;
      this.#examples.note(member, keyOf(head.sender, head.number), "arrived, which is for another room");
      return;
    }
    const wanted = member.next[slot] as number;
    const key = keyOf(head.sender, head.number);
    if (head.number !== wanted && !this.#acceptIrregular(member, wanted, head.number, slot, key)) return;
    if (head.number >= wanted) member.next[slot] = head.number + 1;
    if (member.excused !== undefined) member.excused[slot] = 0;
    this.#delivered++;
    member.order.see(member.cursor, key);
  }

  /** The server did not recover the member's session: what it missed meanwhile counts as missed, not as lost. */
  loseSession(member: Member): void {
    member.excused ??= new Uint8Array(member.next.length);
    member.excused.fill(1);
    member.order.detach(member.cursor);
  }

  /** Whether the member got all of its own messages when it has sent `ownSent`. */
  hasOwn(member: Member, ownSent: number): boolean {
    const slot = this.#slotIn(member.room, member.client);
    return slot < 0 || !this.#sendersHear || (member.next[slot] as number) >= ownSent;
  }

  /** It goes on purpose, having sent `ownSent` messages: of those it should have all by now, of others nothing more is wanted. */
  leave(member: Member, ownSent: number): void {
    member.hasLeft = true;
    if (!this.#sendersHear) return;
    const slot = this.#slotIn(member.room, member.client);
    for (let number = member.next[slot] ?? ownSent; number < ownSent; number++) {
      this.#unlistedLost++;
      this.#examples.note(member, keyOf(member.client, number), "did not arrive before it left");
    }
  }

  /** How many arrivals are still to come when `sent` has the final count of each sender, by client id. */
  outstanding(sent: Int32Array, uncertain: UncertainKeys): number {
    let count = 0;
    for (const member of this.#members) {
      for (const [key, gap] of member.gaps) if (gap === "lost" && !uncertain.has(key)) count++;
      eachUnseen(member, this.#index.sendersTo(member.room), sent, (sender, number) => {
        if (!uncertain.has(keyOf(sender, number))) count++;
      });
    }
    return count;
  }

  /** The final account. Members that nothing more can reach (`isAway`) have missed the rest. */
  report(sent: Int32Array, uncertain: UncertainKeys, isAway: (client: number) => boolean): RoomLedgerReport {
    const missing = { lost: this.#unlistedLost, missed: 0 };
    const uncertainMissing: number[] = [];
    const count = (member: Member, key: number, gap: Gap): void => {
      if (uncertain.has(key) && gap === "lost") {
        uncertainMissing.push(key);
        return;
      }
      if (uncertain.has(key)) return;
      missing[gap]++;
      this.#examples.note(member, key, gap === "lost" ? "never arrived" : "was missed without recovery");
    };
    for (const member of this.#members) {
      for (const [key, gap] of member.gaps) count(member, key, gap);
      eachUnseen(member, this.#index.sendersTo(member.room), sent, (sender, number, slot) => {
        count(member, keyOf(sender, number), isAway(member.client) ? "missed" : gapOf(member, slot));
      });
    }
    return {
      delivered: this.#delivered,
      ...missing,
      duplicates: this.#duplicates,
      senderOrder: this.#senderOrder,
      stray: this.#stray,
      uncertainMissing,
      uncertainSeen: this.#seenOf(uncertain),
      orders: [...this.#orders].map(([room, order]) => ({ room, ...order.digest() })),
      isOrderComplete: this.#budget.left >= 0,
      examples: this.#examples.list(),
    };
  }

  /** All sequences of a room, for a comparison in full. */
  sequences(room: number): Float64Array[] {
    return this.#orders.get(room)?.sequences() ?? [];
  }

  /** False for a duplicate. */
  #acceptIrregular(member: Member, wanted: number, number: number, slot: number, key: number): boolean {
    if (wanted === ANY) return true;
    if (number > wanted) {
      this.#openGaps(member, keyOf(senderOf(key), wanted), key, gapOf(member, slot));
      return true;
    }
    if (member.gaps.delete(key)) {
      this.#gapsLeft++;
      this.#senderOrder++;
      this.#examples.note(member, key, "arrived after a later one of the same sender");
      return true;
    }
    this.#duplicates++;
    this.#examples.note(member, key, "arrived twice");
    return false;
  }

  #openGaps(member: Member, fromKey: number, toKey: number, gap: Gap): void {
    for (let key = fromKey; key < toKey; key++) {
      if (this.#gapsLeft > 0) {
        this.#gapsLeft--;
        member.gaps.set(key, gap);
      } else {
        this.#unlistedLost++;
      }
    }
    member.order.detach(member.cursor);
  }

  #seenOf(uncertain: UncertainKeys): number[] {
    if (uncertain.size === 0) return [];
    const seen = new Set<number>();
    for (const order of this.#orders.values()) {
      for (const sequence of order.sequences()) for (const key of sequence) if (uncertain.has(key)) seen.add(key);
    }
    return [...seen];
  }

  #slotIn(room: number, client: number): number {
    const slot = this.#index.slotOf[client] ?? -1;
    return this.#index.sendersTo(room)[slot] === client ? slot : -1;
  }

  #orderOf(room: number): RoomOrder {
    let order = this.#orders.get(room);
    if (order === undefined) {
      order = new RoomOrder(this.#budget);
      this.#orders.set(room, order);
    }
    return order;
  }
}
