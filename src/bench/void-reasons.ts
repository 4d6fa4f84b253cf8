// Why the speed figures of a run may not be quoted: something was lost, or the load side measured itself.

import type { Counts, LedgerVerdict, LoadLimits, LoadWatch } from "./contract.ts";

export const DEFAULT_LOAD_LIMITS: LoadLimits = { maxBusy: 0.9, maxLagMs: 50 };

export interface RunOutcome {
  readonly ledger: LedgerVerdict;
  readonly counts: Counts;
  /** False when there were more messages than the order check could hold. */
  readonly isOrderComplete: boolean;
  /** Whether the server promises one order for all members of a room. */
  readonly ordersRooms: boolean;
  readonly load: LoadWatch;
  readonly limits: LoadLimits;
  /** Messages that no client could send when they were due. */
  readonly unsent: number;
  /** Clients that never got in, where that is not what is measured. */
  readonly notConnected: number;
  readonly notReturned: number;
  readonly hasTraffic: boolean;
  /** What was to be done to the server and could not be. */
  readonly chaosError: Error | undefined;
}

/** By whose doing a run is void: the server's that was measured, or that of the bench, which then measured something else. */
export interface VoidReasons {
  readonly server: readonly string[];
  readonly bench: readonly string[];
}

export function voidReasons(outcome: RunOutcome): VoidReasons {
  return { server: serverReasons(outcome), bench: benchReasons(outcome) };
}

function serverReasons(outcome: RunOutcome): string[] {
  const { ledger, counts } = outcome;
  return thoseThatAreSo([
    [ledger.lost > 0, `${ledger.lost} of ${counts.expected} messages were lost`],
    [ledger.missed > 0, `${ledger.missed} messages were missed by clients whose session was not recovered`],
    [ledger.duplicates > 0, `${ledger.duplicates} messages arrived twice`],
    [ledger.senderOrder > 0, `${ledger.senderOrder} messages overtook an earlier one of the same sender`],
    [outcome.ordersRooms && ledger.roomOrder > 0, `members of ${ledger.roomOrder} rooms saw different orders`],
    [ledger.stray > 0, `${ledger.stray} messages arrived outside their room`],
    [ledger.corrupt > 0, `${ledger.corrupt} messages were changed on the way`],
    [outcome.hasTraffic && counts.delivered === 0, "nothing was delivered"],
    [outcome.notConnected > 0, `${outcome.notConnected} clients never got in`],
    [outcome.notReturned > 0, `${outcome.notReturned} clients did not come back`],
    [outcome.unsent > 0, `${outcome.unsent} messages had no client to send them when they were due`],
  ]);
}

function benchReasons({ load, limits, isOrderComplete, chaosError }: RunOutcome): string[] {
  return thoseThatAreSo([
    [!isOrderComplete, "too many messages to check the order of rooms: shorten the run"],
    [
      load.maxBusy > limits.maxBusy,
      `the load side was the bottleneck: a load process was ${percent(load.maxBusy)} busy`,
    ],
    [
      load.lagP99Ms > limits.maxLagMs,
      `the load side missed its schedule: 1 % of messages left ${Math.round(load.lagP99Ms)} ms late or more`,
    ],
    [chaosError !== undefined, chaosError?.message ?? ""],
  ]);
}

function thoseThatAreSo(reasons: readonly (readonly [isSo: boolean, reason: string])[]): string[] {
  return reasons.filter(([isSo]) => isSo).map(([, reason]) => reason);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
