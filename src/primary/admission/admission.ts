// Decides which connections may come in, and counts them for as long as they live, in whichever process that is.
//
// Every connection to the port has a ticket. It is `open` from its first byte; when its request begins something new,
// rather than going on with a session, it is `counted` too, and that is what the limits are about. A worker that is given
// the connection says when it is done with the ticket: when the connection is closed, and the session that began on it.
// Requests of a session that goes on are not counted again. Since anybody can make up a session id, they have a bound of
// their own, out of reach for clients that behave: one has a session, a poll, a POST and an upgrade at most.

import type { ConnectionRefusal } from "../../lib/connection-refusal.ts";
import { networkOf } from "../../lib/ip-address.ts";
import type { WorkerName } from "../../lib/session-id.ts";
import type { AdmissionLimits } from "../../limits/admission-limits.ts";
import { AddressBook, type AddressEntry } from "./address-book.ts";

/** Open connections for each that may be counted. */
const OPEN_PER_COUNTED = 4;
/** However low the limit. */
const MIN_OPEN = 16;

/** The place of one connection in the counts. */
export interface Ticket {
  /** Known when it is known who the client is. */
  entry: AddressEntry | undefined;
  isCounted: boolean;
  isReleased: boolean;
  /** The worker that has the connection, with the number by which it names the ticket. */
  at: { readonly worker: string; readonly number: number } | undefined;
}

export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #now: () => number;
  readonly #book: AddressBook;
  readonly #tickets = new Map<string, Map<number, Ticket>>();
  #open = 0;
  #counted = 0;
  #lastNumber = 0;

  /** `now` is the clock of the rate, in milliseconds. */
  constructor(limits: AdmissionLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
    this.#book = new AddressBook({
      perSecond: limits.connectsPerSecondPerAddress,
      burst: limits.connectBurstPerAddress,
    });
  }

  /** Connections that count against the limit of the box. */
  get counted(): number {
    return this.#counted;
  }

  /** Connections, counted or not. */
  get open(): number {
    return this.#open;
  }

  /** Addresses that are remembered. */
  get addresses(): number {
    return this.#book.size;
  }

  /** A connection is there; nothing else is known of it. */
  arrive(): Ticket | ConnectionRefusal {
    if (isOver(this.#open, mostOpen(this.#limits.maxConnections))) return "box_full";
    this.#open++;
    return { entry: undefined, isCounted: false, isReleased: false, at: undefined };
  }

  /** It is known now who the client is. */
  identify(ticket: Ticket, address: string): ConnectionRefusal | undefined {
    const entry = this.#book.enter(networkOf(address), this.#now());
    ticket.entry = entry;
    entry.open++;
    return isOver(entry.open - 1, mostOpen(this.#limits.connectionsPerAddress)) ? "address_full" : undefined;
  }

  /** Its request begins something new: a session, or something of the app's. */
  admit(ticket: Ticket): ConnectionRefusal | undefined {
    const { entry } = ticket;
    const { maxConnections, connectionsPerAddress } = this.#limits;
    if (entry === undefined || ticket.isReleased) return "address_full";
    if (isOver(this.#counted, maxConnections)) return "box_full";
    if (isOver(entry.counted, connectionsPerAddress)) return "address_full";
    if (entry.bucket.take(this.#now()) > 0) return "address_rate";
    ticket.isCounted = true;
    entry.counted++;
    this.#counted++;
    return undefined;
  }

  /** The connection goes to a worker, which will say `closed` with the number returned. */
  handTo({ slot, incarnation }: WorkerName, ticket: Ticket): number {
    this.takeBack(ticket);
    const worker = workerKey(slot, incarnation);
    const number = ++this.#lastNumber;
    const tickets = this.#tickets.get(worker) ?? new Map<number, Ticket>();
    this.#tickets.set(worker, tickets.set(number, ticket));
    ticket.at = { worker, number };
    return number;
  }

  /** A session wants to begin on a connection that a worker has already. Its ticket's number, or why not. */
  issue(worker: WorkerName, address: string): number | ConnectionRefusal {
    const ticket = this.arrive();
    if (typeof ticket === "string") return ticket;
    const refusal = this.identify(ticket, address) ?? this.admit(ticket);
    if (refusal === undefined) return this.handTo(worker, ticket);
    this.release(ticket);
    return refusal;
  }

  /** The worker never had the connection. */
  takeBack(ticket: Ticket): void {
    if (ticket.at === undefined) return;
    this.#tickets.get(ticket.at.worker)?.delete(ticket.at.number);
    ticket.at = undefined;
  }

  /** A worker is done with these tickets. */
  closed({ slot, incarnation }: WorkerName, numbers: readonly number[]): void {
    const tickets = this.#tickets.get(workerKey(slot, incarnation));
    for (const number of numbers) {
      const ticket = tickets?.get(number);
      if (ticket !== undefined) this.release(ticket);
    }
  }

  /** A worker's process is gone, and with it all it had. */
  gone({ slot, incarnation }: WorkerName): void {
    const worker = workerKey(slot, incarnation);
    for (const ticket of [...(this.#tickets.get(worker)?.values() ?? [])]) this.release(ticket);
    this.#tickets.delete(worker);
  }

  /** The connection is no more. Calling it twice does no harm. */
  release(ticket: Ticket): void {
    if (ticket.isReleased) return;
    ticket.isReleased = true;
    this.takeBack(ticket);
    this.#open--;
    if (ticket.isCounted) this.#counted--;
    const { entry } = ticket;
    if (entry === undefined) return;
    entry.open--;
    if (ticket.isCounted) entry.counted--;
    if (entry.open === 0) this.#book.leave(entry, this.#now());
  }
}

/** 0 is no limit. */
function isOver(count: number, limit: number): boolean {
  return limit > 0 && count >= limit;
}

function mostOpen(limit: number): number {
  return limit === 0 ? 0 : Math.max(MIN_OPEN, limit * OPEN_PER_COUNTED);
}

function workerKey(slot: number, incarnation: number): string {
  return `${slot}/${incarnation}`;
}
