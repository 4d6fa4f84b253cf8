// The hub: gives every message its place in the box's one order, remembers it for those who may return, and passes the
// bytes on to the workers that have members. It lives in the primary and knows nothing of sockets or processes, so that
// it could live elsewhere: workers are links, frames come in as buffers, and time is an argument.
//
// Here is who is in the box and where what comes in goes; a message's way is in publishing.ts.

import { encodePublish, HUB_KIND, type Publication } from "../bus/hub-frames.ts";
import type { SocketsMove } from "../bus/hub-messages.ts";
import type { BusMessage } from "../bus/messages.ts";
import type { HubState } from "./hub-state.ts";
import { type HubLink, HubWorker } from "./hub-worker.ts";
import { Memberships } from "./memberships.ts";
import { MessageLog } from "./message-log.ts";
import { Operations } from "./operations.ts";
import { Order } from "./order.ts";
import { Publishing } from "./publishing.ts";
import { Questions } from "./questions.ts";
import { Returns } from "./returns.ts";
import { SessionStore } from "./session-store.ts";

export interface HubOptions {
  /** Most bytes of messages kept for clients that return. */
  readonly maxLogBytes: number;
  /** How long messages and sessions wait for their client, in milliseconds. */
  readonly windowMs: number;
  /** Most sessions that wait for their client. */
  readonly maxDetached: number;
  /** How long a client that returns waits for the worker of its old connection to close that, in milliseconds. */
  readonly evictionTimeoutMs: number;
}

export interface HubStats {
  /** Messages and operations that have a place in the box's order. */
  readonly sequence: number;
  readonly logBytes: number;
  readonly logMessages: number;
  /** Sessions that wait for their client. */
  readonly detached: number;
  readonly rooms: number;
  /** Questions to workers that are not all answered. */
  readonly openQuestions: number;
}

export class Hub {
  readonly #order = new Order();
  readonly #workers = new Set<HubWorker>();
  readonly #questions = new Questions();
  readonly #log: MessageLog;
  readonly #sessions: SessionStore;
  readonly #publishing: Publishing;
  readonly #operations: Operations;
  readonly #returns: Returns;
  readonly #memberships: Memberships;

  constructor({ maxLogBytes, windowMs, maxDetached, evictionTimeoutMs }: HubOptions) {
    const order = this.#order;
    const log = new MessageLog({ maxBytes: maxLogBytes, windowMs });
    const sessions = new SessionStore({ log, windowMs, maxDetached });
    this.#log = log;
    this.#sessions = sessions;
    this.#publishing = new Publishing({ order, rooms: sessions.rooms, log });
    this.#operations = new Operations({ order, sessions, questions: this.#questions, workers: this.#workers });
    this.#returns = new Returns({ order, sessions, evictionTimeoutMs });
    this.#memberships = new Memberships({ order, sessions, returns: this.#returns });
  }

  /** Names this life of the hub. */
  get epoch(): string {
    return this.#order.epoch;
  }

  /** The last place in the order that was given. */
  get sequence(): number {
    return this.#order.sequence;
  }

  stats(): HubStats {
    return {
      sequence: this.sequence,
      logBytes: this.#log.bytes,
      logMessages: this.#log.messages,
      detached: this.#sessions.detachedCount,
      rooms: this.#sessions.rooms.count,
      openQuestions: this.#questions.count,
    };
  }

  addWorker(slot: number, link: HubLink): HubWorker {
    const worker = new HubWorker(slot, link);
    this.#workers.add(worker);
    this.#tellCount();
    return worker;
  }

  /** The worker is gone: its sessions wait for their clients, and nobody waits for its answers. */
  removeWorker(worker: HubWorker, now: number): void {
    this.#workers.delete(worker);
    this.#questions.drop(worker);
    this.#returns.drop(worker);
    const sessions = [...worker.sessions.values()];
    this.#sessions.detachAll(worker, now);
    for (const session of sessions) this.#returns.onDetached(session, now);
    this.#tellCount();
  }

  /** Takes a binary frame of a worker. Throws `ALLCORES_ERR_BUS_FRAME`: close the worker's connection then. */
  onFrame(sender: HubWorker, kind: number, frame: Buffer, now: number): void {
    if (kind === HUB_KIND.publish) this.#publishing.publish(sender, frame, now);
  }

  /** Takes a message of a worker; ignores what is not for the hub. */
  onMessage(sender: HubWorker, message: BusMessage, body: Buffer, now: number): void {
    switch (message.type) {
      case "hub:namespace":
        this.#openNamespace(sender, message.namespace);
        break;
      case "hub:attach":
      case "hub:join":
      case "hub:leave":
      case "hub:detach":
      case "hub:data":
        this.#memberships.onMessage(sender, message, body, now);
        break;
      case "hub:operation":
        this.#operations.operate(sender, message, body);
        break;
      case "hub:move":
        this.#operations.moveSockets(message);
        sender.pass(message.ticket, this.#order.sequence);
        sender.flushPassed();
        break;
      case "hub:sync":
        sender.pass(message.ticket, this.#order.sequence);
        break;
      case "hub:ask":
        this.#operations.ask(sender, message, body);
        break;
      case "hub:answer":
        this.#questions.answer(sender, message.to, message.ticket, message.isLast, body);
        break;
      case "hub:restore":
        this.#returns.add(sender, message, now);
        break;
    }
  }

  /** Everything that came in one chunk has been taken: tell the worker how far that is. */
  onBatchEnd(sender: HubWorker): void {
    sender.flushPassed();
  }

  /** The worker has taken what was sent to it: clients that wait for their session get it. */
  onDrain(worker: HubWorker, now: number): void {
    this.#returns.serve(worker, now);
  }

  /** Everything that is remembered, with all workers gone. Views, not copies: use them before anything else happens. */
  snapshot(now: number): HubState {
    for (const worker of this.#workers) this.removeWorker(worker, now);
    const { sequence } = this.#order;
    return { sequence, lives: this.#order.lives(), log: this.#log.snapshot(), ...this.#sessions.snapshot() };
  }

  /** Takes up what another hub remembered. Call it before the first worker comes. */
  restore({ sequence, lives, log, ...sessions }: HubState, now: number): void {
    this.#order.continue(sequence, lives);
    this.#log.restore(log);
    this.#sessions.restore(sessions);
    this.sweep(now);
  }

  /** Clients of former lives start afresh. */
  forgetFormerLives(): void {
    this.#order.forgetFormerLives();
  }

  /** Lets sockets join or leave rooms, for somebody outside the box. */
  moveSockets(move: SocketsMove): void {
    this.#operations.moveSockets(move);
  }

  /** Gives a message that came from outside the box its place. */
  publish(publication: Publication, payload: Uint8Array, now: number): void {
    this.#publishing.publish(undefined, encodePublish(publication, 0, payload), now);
  }

  /** Call it every second or so. */
  sweep(now: number): void {
    this.#log.evict(now);
    this.#sessions.sweep(now);
    this.#returns.sweep(now);
  }

  /** A worker's first namespace shows that it listens: now it is told what it needs to know. */
  #openNamespace(sender: HubWorker, namespace: string): void {
    if (sender.namespaces.size === 0) {
      sender.link.send({ type: "hub:welcome", epoch: this.epoch, sequence: this.#order.sequence });
      sender.link.send({ type: "hub:workers", count: this.#workers.size });
    }
    sender.namespaces.add(namespace);
  }

  #tellCount(): void {
    for (const { link } of this.#workers) link.send({ type: "hub:workers", count: this.#workers.size });
  }
}
