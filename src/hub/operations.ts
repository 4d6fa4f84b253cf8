// What is done to many sockets at one place of the order: moves between rooms, things that every worker does for itself,
// and questions to those whom they concern.

import type { HubAskMessage, HubOperationMessage, SocketsMove } from "../bus/hub-messages.ts";
import type { HubWorker } from "./hub-worker.ts";
import type { Order } from "./order.ts";
import type { Questions } from "./questions.ts";
import { workersIn } from "./room.ts";
import type { SessionStore } from "./session-store.ts";

export interface OperationsOptions {
  readonly order: Order;
  readonly sessions: SessionStore;
  readonly questions: Questions;
  readonly workers: ReadonlySet<HubWorker>;
}

export class Operations {
  readonly #order: Order;
  readonly #sessions: SessionStore;
  readonly #questions: Questions;
  readonly #workers: ReadonlySet<HubWorker>;

  constructor({ order, sessions, questions, workers }: OperationsOptions) {
    this.#order = order;
    this.#sessions = sessions;
    this.#questions = questions;
    this.#workers = workers;
  }

  /** Workers are told which of their sockets: looking for themselves, they would see rooms of another moment. */
  moveSockets({ namespace, operation, target, rooms }: SocketsMove): void {
    const sequence = this.#order.next();
    const sids = new Map<HubWorker, string[]>();
    for (const session of this.#sessions.matching(namespace, target.rooms, target.except)) {
      if (session.worker === undefined) continue;
      const here = sids.get(session.worker);
      if (here === undefined) sids.set(session.worker, [session.sid]);
      else here.push(session.sid);
      if (operation === "join") this.#sessions.join(session, rooms, sequence);
      else this.#sessions.leave(session, rooms, sequence);
    }
    for (const [worker, ofWorker] of sids) {
      worker.send({ type: "hub:moved", sequence, namespace, operation, sids: ofWorker, rooms });
    }
  }

  /** Every other worker does it for itself. */
  operate(sender: HubWorker, { namespace, operation, ticket }: HubOperationMessage, body: Buffer): void {
    const sequence = this.#order.next();
    for (const worker of this.#othersWith(sender, namespace)) {
      worker.send({ type: "hub:ordered", sequence, namespace, operation }, body);
    }
    sender.pass(ticket, sequence);
    sender.flushPassed();
  }

  ask(sender: HubWorker, { namespace, question, rooms, ticket }: HubAskMessage, body: Buffer): void {
    const sequence = this.#order.next();
    const targets = this.#sessions.rooms.named(namespace, rooms);
    const concerned = question === "serverSideEmit" ? undefined : new Set(workersIn(targets));
    const asked = this.#othersWith(sender, namespace).filter((worker) => concerned?.has(worker) ?? true);
    for (const worker of asked) {
      worker.send({ type: "hub:question", sequence, from: sender.slot, ticket, namespace, question }, body);
    }
    sender.pass(ticket, sequence);
    sender.flushPassed();
    // After its own part has its place: with nobody to ask, this is the end of the question.
    this.#questions.ask(sender, ticket, asked);
  }

  #othersWith(sender: HubWorker, namespace: string): HubWorker[] {
    return [...this.#workers].filter((worker) => worker !== sender && worker.namespaces.has(namespace));
  }
}
