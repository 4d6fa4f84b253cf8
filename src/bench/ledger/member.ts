// One client as the room ledger sees it: how far it is in every sender's numbers, and what it skipped.

import type { Cursor, RoomOrder } from "./room-order.ts";

/** Why a number was skipped: the server lost it, or the client was away and its session not recovered. */
export type Gap = "lost" | "missed";

/** Made by `RoomLedger.join`, changed by the ledger alone. */
export interface Member {
  readonly client: number;
  readonly room: number;
  /** Next number wanted of each sender, by slot; ANY where the first one is not known. */
  readonly next: Int32Array;
  /** By slot: 1 while a gap would be explained by a lost session. */
  excused: Uint8Array | undefined;
  /** By message key. */
  readonly gaps: Map<number, Gap>;
  readonly order: RoomOrder;
  readonly cursor: Cursor;
  /** It left on purpose: what comes later is not wanted. */
  hasLeft: boolean;
}

export const ANY = -1;

/** Why the member would miss the next message of the sender in this slot. */
export function gapOf({ excused }: Member, slot: number): Gap {
  return excused?.[slot] === 1 ? "missed" : "lost";
}

/**
 * Visits what the member still wants at the end: the numbers after the last one it got, up to what each sender has
 * `sent` (by client id). `senders` are the client ids by slot.
 */
export function eachUnseen(
  member: Member,
  senders: readonly number[],
  sent: Int32Array,
  visit: (sender: number, number: number, slot: number) => void,
): void {
  if (member.hasLeft) return;
  for (const [slot, wanted] of member.next.entries()) {
    if (wanted === ANY) continue;
    const sender = senders[slot] as number;
    const end = sent[sender] as number;
    for (let number = wanted; number < end; number++) visit(sender, number, slot);
  }
}
