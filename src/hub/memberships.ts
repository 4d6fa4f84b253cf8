// What workers tell of their own sockets: who is there, in which rooms and with which data, and who has gone.
// It has its place after all that has one already, and takes none of its own.

import type { HubAttachMessage, HubDataMessage, HubDetachMessage, HubMembershipMessage } from "../bus/hub-messages.ts";
import type { HubWorker } from "./hub-worker.ts";
import type { Order } from "./order.ts";
import type { Returns } from "./returns.ts";
import type { SessionStore } from "./session-store.ts";

export interface MembershipsOptions {
  readonly order: Order;
  readonly sessions: SessionStore;
  readonly returns: Returns;
}

export class Memberships {
  readonly #order: Order;
  readonly #sessions: SessionStore;
  readonly #returns: Returns;

  constructor({ order, sessions, returns }: MembershipsOptions) {
    this.#order = order;
    this.#sessions = sessions;
    this.#returns = returns;
  }

  onMessage(
    sender: HubWorker,
    message: HubAttachMessage | HubMembershipMessage | HubDetachMessage | HubDataMessage,
    body: Buffer,
    now: number,
  ): void {
    if (message.type === "hub:attach") this.#attach(sender, message);
    else this.#change(sender, message, body, now);
    if ("ticket" in message) sender.pass(message.ticket, this.#order.sequence);
  }

  #attach(sender: HubWorker, { key, namespace, sid, pid }: HubAttachMessage): void {
    this.#sessions.attach(sender, key, { namespace, sid, pid }, this.#order.sequence);
  }

  #change(
    sender: HubWorker,
    message: HubMembershipMessage | HubDetachMessage | HubDataMessage,
    body: Buffer,
    now: number,
  ): void {
    const session = sender.sessions.get(message.key);
    // Its socket was moved elsewhere: what comes of it here is stale.
    if (session === undefined) return;
    switch (message.type) {
      case "hub:join":
        this.#sessions.join(session, message.rooms, this.#order.sequence);
        break;
      case "hub:leave":
        this.#sessions.leave(session, message.rooms, this.#order.sequence);
        break;
      case "hub:data":
        session.data = Buffer.from(body);
        break;
      case "hub:detach":
        this.#sessions.detach(session, message.isRecoverable, now);
        this.#returns.onDetached(session, now);
        break;
    }
  }
}
