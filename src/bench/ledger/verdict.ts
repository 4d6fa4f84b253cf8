// One verdict from the accounts of all load processes.

import type { Counts, LedgerVerdict } from "../contract.ts";
import type { LoadResult } from "../load/load-messages.ts";
import { findDisagreement } from "./find-disagreement.ts";
import { describeKey } from "./message-key.ts";

/** What the comparison of room orders came to. */
export interface OrderFindings {
  readonly rooms: number;
  readonly examples: readonly string[];
}

const MAX_EXAMPLES = 20;

/** Rooms whose order has to be compared in full: processes differ, or a member of one saw something of its own. */
export function doubtfulRooms(results: readonly LoadResult[]): number[] {
  const first = new Map<number, { length: number; hash: number }>();
  const doubtful = new Set<number>();
  for (const { room, length, hash, branches } of results.flatMap(({ ledger }) => ledger.orders)) {
    const other = first.get(room);
    if (branches > 0 || (other !== undefined && (other.length !== length || other.hash !== hash))) doubtful.add(room);
    first.set(room, { length, hash });
  }
  return [...doubtful];
}

/** Compares the sequences of doubtful rooms, fetched room by room. */
export async function checkOrders(
  rooms: readonly number[],
  fetchSequences: (room: number) => Promise<readonly Float64Array[]>,
): Promise<OrderFindings> {
  const examples: string[] = [];
  for (const room of rooms) {
    const disagreement = findDisagreement(await fetchSequences(room));
    if (disagreement === undefined) continue;
    const { first, second } = disagreement;
    examples.push(`room ${room}: its members saw ${describeKey(first)} and ${describeKey(second)} in different orders`);
  }
  return { rooms: examples.length, examples };
}

export interface Verdict {
  readonly counts: Counts;
  readonly ledger: LedgerVerdict;
}

/** What was sent: the final count of every sender, by client id, and the keys of messages of uncertain fate. */
export interface SentAccount {
  readonly sent: Int32Array;
  readonly uncertain: readonly number[];
}

export function judge(
  results: readonly LoadResult[],
  { sent, uncertain }: SentAccount,
  orders: OrderFindings,
): Verdict {
  const ledgers = results.map(({ ledger }) => ledger);
  const arrivals = results.map(({ arrivals }) => arrivals);
  const total = <T>(parts: readonly T[], field: (part: T) => number): number =>
    parts.reduce((sum, part) => sum + field(part), 0);

  const uncertainLost = countPartlySeen(results);
  const openAcks = total(results, (result) => result.openAcks);
  const lost =
    total(ledgers, (part) => part.lost) + total(arrivals, (part) => part.lostAnswers) + openAcks + uncertainLost;
  const missed = total(ledgers, (part) => part.missed);
  const duplicates = total(ledgers, (part) => part.duplicates) + total(arrivals, (part) => part.repeatedAcks);
  const senderOrder = total(ledgers, (part) => part.senderOrder);
  const stray = total(ledgers, (part) => part.stray);
  const corrupt = total(arrivals, (part) => part.corrupt);
  const delivered = total(ledgers, (part) => part.delivered) + total(arrivals, (part) => part.results);
  const problems = lost + missed + duplicates + senderOrder + orders.rooms + stray + corrupt;

  return {
    counts: {
      sent: sent.reduce((sum, count) => sum + count, 0),
      expected: delivered + lost + missed,
      delivered,
      acked: total(arrivals, (part) => part.acked),
    },
    ledger: {
      ok: problems === 0 && ledgers.every((part) => part.isOrderComplete),
      lost,
      missed,
      duplicates,
      senderOrder,
      roomOrder: orders.rooms,
      stray,
      corrupt,
      uncertain: uncertain.length + total(arrivals, (part) => part.uncertainResults),
      sampledClients: total(results, (result) => result.sampledClients),
      examples: [...orders.examples, ...ledgers.flatMap((part) => part.examples)].slice(0, MAX_EXAMPLES),
    },
  };
}

/** An uncertain message that one member got was accepted: then it was due to all of them. */
function countPartlySeen(results: readonly LoadResult[]): number {
  const seen = new Set(results.flatMap(({ ledger }) => ledger.uncertainSeen));
  return results.flatMap(({ ledger }) => ledger.uncertainMissing).filter((key) => seen.has(key)).length;
}
