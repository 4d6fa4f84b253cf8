// Holds the tickets of the connections that this worker was given, and tells the primary when they are done: when the
// connection is closed, and the session that began on it. So a client that polls counts on between its requests.
//
// A ticket is good for one session. Another one on the same connection, as behind a proxy that keeps its connections,
// asks the primary first.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { BusConnection } from "../bus/connection.ts";
import type { BusMessage } from "../bus/messages.ts";
import type { ConnectionRefusal } from "../lib/connection-refusal.ts";

/** Tickets that are done wait so long for company. */
const PAUSE_MS = 20;

interface Held {
  readonly ticket: number;
  /** What lives on it. */
  uses: number;
  hasSession: boolean;
  /** Ends the use that the connection is. */
  leave?: () => void;
}

export interface TicketTerms {
  /** The connection was let in for what its first request begins. If not, a session on it needs a ticket of its own. */
  readonly isCounted: boolean;
  /** A proxy's connection: its client is on it for one request, and others come after. */
  readonly isShared: boolean;
}

interface Closable {
  once(event: "close", listener: () => void): unknown;
}

type Answer = (refusal: ConnectionRefusal | undefined) => void;

export class Tickets {
  readonly #bus: BusConnection;
  readonly #ofConnection = new WeakMap<Duplex, Held>();
  readonly #ofRequest = new WeakMap<IncomingMessage, Held>();
  readonly #questions = new Map<number, (held: Held | undefined, refusal: ConnectionRefusal | undefined) => void>();
  #lastQuestion = 0;
  #done: number[] = [];
  #pause: NodeJS.Timeout | undefined;

  constructor(bus: BusConnection) {
    this.#bus = bus;
  }

  /** A connection came with its ticket. It may have closed on the way. */
  take(ticket: number, connection: Duplex | undefined, { isCounted, isShared }: TicketTerms): void {
    const held: Held = { ticket, uses: 0, hasSession: !isCounted };
    if (connection === undefined) {
      this.#finish(ticket);
      return;
    }
    this.#ofConnection.set(connection, held);
    const leave = this.#use(held, connection);
    if (isShared) held.leave = leave;
  }

  /** A request is going to be answered: with the first on a proxy's connection, the client has left that. */
  answering(connection: Duplex, response: ServerResponse): void {
    const held = this.#ofConnection.get(connection);
    if (held?.leave === undefined) return;
    this.#use(held, response);
    held.leave();
    delete held.leave;
  }

  /** The connection goes to another process. Returns its ticket when that is free now, for the primary to be told. */
  giveUp(connection: Duplex): number | undefined {
    const held = this.#ofConnection.get(connection);
    if (held === undefined) return undefined;
    this.#ofConnection.delete(connection);
    held.uses--;
    return held.uses === 0 ? held.ticket : undefined;
  }

  /**
   * A session wants to begin with this request. Answers at once when the connection's ticket is good for it, later when
   * the primary has to be asked. `until` closes when it is clear whether the session began.
   */
  admit(request: IncomingMessage, address: string, until: Duplex | ServerResponse, answer: Answer): void {
    const held = this.#ofConnection.get(request.socket);
    if (held !== undefined && !held.hasSession) {
      held.hasSession = true;
      this.#ofRequest.set(request, held);
      answer(undefined);
      return;
    }
    this.#ask(address, (granted, refusal) => {
      if (granted !== undefined) {
        this.#ofRequest.set(request, granted);
        this.#use(granted, until);
      }
      answer(refusal);
    });
  }

  /** A session began. */
  opened(client: Closable & { readonly request: IncomingMessage }): void {
    const held = this.#ofRequest.get(client.request);
    if (held !== undefined) this.#use(held, client);
  }

  /** Takes what came over the bus. */
  handle(message: BusMessage): void {
    if (message.type !== "ticket") return;
    const { question, ticket, refusal } = message;
    const settle = this.#questions.get(question);
    this.#questions.delete(question);
    settle?.(ticket === undefined ? undefined : { ticket, uses: 0, hasSession: true }, refusal);
  }

  #ask(address: string, settle: (held: Held | undefined, refusal: ConnectionRefusal | undefined) => void): void {
    const question = ++this.#lastQuestion;
    this.#questions.set(question, settle);
    this.#bus.send({ type: "ticketWanted", question, address });
  }

  /** Returns what ends the use before its time. */
  #use(held: Held, user: Closable | Duplex | ServerResponse): () => void {
    held.uses++;
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      held.uses--;
      if (held.uses === 0) this.#finish(held.ticket);
    };
    if ("destroyed" in user && user.destroyed) setImmediate(end);
    else (user as Closable).once("close", end);
    return end;
  }

  #finish(ticket: number): void {
    this.#done.push(ticket);
    this.#pause ??= setTimeout(() => {
      const tickets = this.#done;
      this.#done = [];
      this.#pause = undefined;
      this.#bus.send({ type: "ticketsClosed", tickets });
    }, PAUSE_MS);
  }
}
