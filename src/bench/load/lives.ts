// Clients that come later, leave earlier, or lose their network again and again while traffic runs.

import type { RoomLedger } from "../ledger/room-ledger.ts";
import type { LoadClient } from "./load-client.ts";
import type { Outages } from "./script.ts";

/** How long a client that wants to leave waits for its own messages, and how often it looks. */
const LEAVE_DEADLINE_MS = 10_000;
const LEAVE_LOOK_MS = 50;

export class Lives {
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #leaving = new Set<LoadClient>();
  readonly #ledger: RoomLedger;
  readonly #zeroUs: number;

  constructor(ledger: RoomLedger, zeroUs: number) {
    this.#ledger = ledger;
    this.#zeroUs = zeroUs;
  }

  /** A client that leaves sends nothing new. */
  isLeaving(client: LoadClient): boolean {
    return this.#leaving.has(client);
  }

  /** Arms birth and death; times are milliseconds from `nowUs` on the machine's clock. */
  plan(client: LoadClient, nowUs: number): void {
    const { bornMs, diesMs } = client.spec;
    const waitMs = (atMs: number): number => Math.max(0, (this.#zeroUs - nowUs) / 1000 + atMs);
    if (bornMs !== undefined) this.#after(waitMs(bornMs), () => client.connect(this.#zeroUs + bornMs * 1000));
    if (diesMs !== undefined) this.#after(waitMs(diesMs), () => this.#retire(client, LEAVE_DEADLINE_MS));
  }

  /** The client drops out every `everyMs`; `phase` (0 to 1) spreads the clients over that time. */
  planOutages(client: LoadClient, { everyMs, forMs, drop }: Outages, phase: number): void {
    const dropOut = (): void => {
      client.dropOut(forMs, drop);
      this.#after(everyMs, dropOut);
    };
    this.#after(everyMs * phase, dropOut);
  }

  /** Nobody comes, leaves or drops out any more. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #retire(client: LoadClient, patienceMs: number): void {
    this.#leaving.add(client);
    if (this.#hasEverything(client) || patienceMs <= 0) {
      if (client.member !== undefined) this.#ledger.leave(client.member, client.outbox.sent);
      client.leave();
      return;
    }
    this.#after(LEAVE_LOOK_MS, () => this.#retire(client, patienceMs - LEAVE_LOOK_MS));
  }

  #hasEverything(client: LoadClient): boolean {
    if (!client.outbox.isDone) return false;
    return client.member === undefined || this.#ledger.hasOwn(client.member, client.outbox.sent);
  }

  #after(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }
}
