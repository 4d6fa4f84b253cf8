// What the primary and the socket workers say to each other about connections that are counted.

import type { ConnectionRefusal } from "../lib/connection-refusal.ts";

/** Socket worker: it is done with these tickets. Their connections are closed, and the sessions that began on them. */
export interface TicketsClosedMessage {
  readonly type: "ticketsClosed";
  readonly tickets: readonly number[];
}

/** Socket worker: a session wants to begin on a connection that has no ticket left for it. May it? */
export interface TicketWantedMessage {
  readonly type: "ticketWanted";
  readonly question: number;
  /** The client's. */
  readonly address: string;
}

/** Primary: the answer, a ticket or a refusal. */
export interface TicketMessage {
  readonly type: "ticket";
  readonly question: number;
  readonly ticket?: number;
  readonly refusal?: ConnectionRefusal;
}

export type AdmissionMessage = TicketsClosedMessage | TicketWantedMessage | TicketMessage;

export const ADMISSION_MESSAGE_TYPES: Record<AdmissionMessage["type"], true> = {
  ticketsClosed: true,
  ticketWanted: true,
  ticket: true,
};
