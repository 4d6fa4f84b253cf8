// The hub: gives every message its place in the box's one order, remembers it for those who may return, and passes the
// bytes on to the workers that have members. It lives in the primary and knows nothing of sockets or processes, so that
// it could live elsewhere: workers are links, frames come in as buffers, and time is an argument.

import { randomBytes } from "node:crypto";
import {
  decodePublish,
  encodePassed,
  HUB_KIND,
  PUBLISH_FLAG,
  type Publication,
  stampSequence,
} from "../bus/hub-frames.ts";
import type {
  HubAskMessage,
  HubAttachMessage,
  HubOperationMessage,
  HubRestoredMessage,
  HubRestoreMessage,
} from "../bus/hub-messages.ts";
import type { BusMessage } from "../bus/messages.ts";
import { parsePosition, stampPosition } from "../bus/position.ts";
import { type HubLink, HubWorker } from "./hub-worker.ts";
import { MessageLog } from "./message-log.ts";
import { Questions } from "./questions.ts";
import type { Room } from "./room.ts";
import { EVERYONE } from "./rooms.ts";
import type { Session } from "./session.ts";
import { SessionStore } from "./session-store.ts";

export interface HubOptions {
  /** Most bytes of messages kept for clients that return. */
  readonly maxLogBytes: number;
  /** How long messages and sessions wait for their client, in milliseconds. */
  readonly windowMs: number;
  /** Most sessions that wait for their client. */
  readonly maxDetached: number;
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

/** Text of a Socket.IO event ends with `"]`: the position ends before these two bytes. */
const AFTER_POSITION = 2;

export class Hub {
  /** Names this life of the hub: positions of another one mean nothing here. */
  readonly epoch = randomBytes(8).readBigUInt64BE().toString(36).padStart(8, "0").slice(-8);
  readonly #log: MessageLog;
  readonly #sessions: SessionStore;
  readonly #questions = new Questions();
  readonly #workers = new Set<HubWorker>();
  #sequence = 0;

  constructor({ maxLogBytes, windowMs, maxDetached }: HubOptions) {
    this.#log = new MessageLog({ maxBytes: maxLogBytes, windowMs });
    this.#sessions = new SessionStore({ log: this.#log, windowMs, maxDetached });
  }

  stats(): HubStats {
    return {
      sequence: this.#sequence,
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
    this.#sessions.detachAll(worker, now);
    this.#tellCount();
  }

  /** Takes a binary frame of a worker. Throws `ALLCORES_ERR_BUS_FRAME`: close the worker's connection then. */
  onFrame(sender: HubWorker, kind: number, body: Buffer, now: number): void {
    if (kind === HUB_KIND.publish) this.#publish(sender, body, now);
  }

  /** Takes a message of a worker; ignores what is not for the hub. */
  onMessage(sender: HubWorker, message: BusMessage, body: Buffer, now: number): void {
    switch (message.type) {
      case "hub:namespace":
        this.#openNamespace(sender, message.namespace);
        break;
      case "hub:attach":
        this.#attach(sender, message);
        break;
      case "hub:join":
      case "hub:leave":
        this.#changeRooms(sender, message.type, message.key, message.rooms);
        this.#pass(sender, message.ticket);
        break;
      case "hub:detach":
        this.#withSession(sender, message.key, (session) => {
          this.#sessions.detach(session, message.isRecoverable, now);
        });
        break;
      case "hub:data":
        this.#withSession(sender, message.key, (session) => {
          session.data = Buffer.from(body);
        });
        break;
      case "hub:operation":
        this.#operate(sender, message, body);
        break;
      case "hub:ask":
        this.#ask(sender, message, body);
        break;
      case "hub:answer":
        this.#questions.answer(sender, message.to, message.ticket, message.isLast, body);
        break;
      case "hub:restore":
        this.#restore(sender, message, now);
        break;
    }
  }

  /** Everything that came in one chunk has been taken: tell the worker how far that is. */
  onBatchEnd(sender: HubWorker): void {
    flushPassed(sender);
  }

  /** Call it every second or so. */
  sweep(now: number): void {
    this.#log.evict(now);
    this.#sessions.sweep(now);
  }

  /** A worker's first namespace shows that it listens: now it is told what it needs to know. */
  #openNamespace(sender: HubWorker, namespace: string): void {
    if (sender.namespaces.size === 0) {
      sender.link.send({ type: "hub:welcome", epoch: this.epoch, sequence: this.#sequence });
      sender.link.send({ type: "hub:workers", count: this.#workers.size });
    }
    sender.namespaces.add(namespace);
  }

  #publish(sender: HubWorker, body: Buffer, now: number): void {
    const publication = decodePublish(body);
    const sequence = this.#next();
    stampSequence(body, sequence);
    if (publication.flags & PUBLISH_FLAG.hasPosition) {
      stampPosition(publication.payload, publication.firstFrameBytes - AFTER_POSITION, sequence);
    }

    const rooms = this.#roomsOf(publication);
    if (publication.flags & PUBLISH_FLAG.recoverable) this.#remember(publication, rooms, sequence, body, now);
    // The frame's header stands right before its body: the bytes go on as they came.
    const frame = Buffer.from(body.buffer, body.byteOffset - 5, body.length + 5);
    for (const worker of receiversOf(rooms)) {
      if (worker === sender) continue;
      flushPassed(worker);
      worker.link.sendFrame(frame);
    }
    this.#pass(sender, publication.ticket);
    // Its own members get the message at this place, so the worker has to know it exactly.
    if (rooms.some((room) => room.members.has(sender))) flushPassed(sender);
  }

  #remember(
    { namespace, except }: Publication,
    rooms: readonly Room[],
    sequence: number,
    body: Buffer,
    now: number,
  ): void {
    const retaining = rooms.filter(({ retainers }) => retainers > 0);
    if (retaining.length === 0) return;
    this.#log.append(sequence, body, now);
    for (const room of retaining) room.remember(sequence, this.#log.evictedTo);
    for (const name of except) {
      const room = this.#sessions.rooms.get(namespace, name);
      if (room !== undefined) room.exceptedAt = sequence;
    }
  }

  #roomsOf({ namespace, rooms }: Publication): Room[] {
    if (rooms.length > 0) return rooms.flatMap((name) => this.#sessions.rooms.get(namespace, name) ?? []);
    const everyone = this.#sessions.rooms.get(namespace, EVERYONE);
    return everyone === undefined ? [] : [everyone];
  }

  #attach(sender: HubWorker, { key, namespace, sid, pid, ticket }: HubAttachMessage): void {
    this.#sessions.attach(sender, key, { namespace, sid, pid }, this.#sequence);
    this.#pass(sender, ticket);
  }

  #changeRooms(sender: HubWorker, type: "hub:join" | "hub:leave", key: number, rooms: readonly string[]): void {
    this.#withSession(sender, key, (session) => {
      if (type === "hub:join") this.#sessions.join(session, rooms, this.#sequence);
      else this.#sessions.leave(session, rooms, this.#sequence);
    });
  }

  #operate(sender: HubWorker, message: HubOperationMessage, body: Buffer): void {
    const { namespace, operation, target, rooms = [] } = message;
    const sequence = this.#next();
    // The workers will do it and say so, but a message right behind this one needs the rooms as they are after it.
    const concerned = target === undefined ? [] : this.#sessions.matching(namespace, target.rooms, target.except);
    for (const session of concerned) {
      if (operation === "join") this.#sessions.join(session, rooms, sequence);
      if (operation === "leave") this.#sessions.leave(session, rooms, sequence);
    }
    for (const worker of this.#othersWith(sender, namespace)) {
      flushPassed(worker);
      worker.link.send({ type: "hub:ordered", sequence, namespace, operation }, body);
    }
    this.#pass(sender, message.ticket);
    flushPassed(sender);
  }

  #ask(sender: HubWorker, { namespace, question, rooms, ticket }: HubAskMessage, body: Buffer): void {
    const sequence = this.#next();
    const targets = this.#roomsOf({ namespace, rooms } as Publication);
    const concerned = question === "serverSideEmit" ? undefined : new Set(receiversOf(targets));
    const asked = this.#othersWith(sender, namespace).filter((worker) => concerned?.has(worker) ?? true);
    for (const worker of asked) {
      flushPassed(worker);
      worker.link.send({ type: "hub:question", sequence, from: sender.slot, ticket, namespace, question }, body);
    }
    this.#pass(sender, ticket);
    flushPassed(sender);
    // After its own part has its place: with nobody to ask, this is the end of the question.
    this.#questions.ask(sender, ticket, asked);
  }

  #restore(sender: HubWorker, { key, namespace, pid, position }: HubRestoreMessage, now: number): void {
    const refuse = (outcome: HubRestoredMessage["outcome"]): void => {
      flushPassed(sender);
      sender.link.send({ type: "hub:restored", key, sequence: this.#sequence, outcome, parts: [] });
    };
    const parsed = parsePosition(position);
    if (parsed === undefined || parsed.epoch !== this.epoch || parsed.sequence > this.#sequence) {
      refuse("unknown");
      return;
    }
    const session = this.#sessions.find(namespace, pid, parsed.sequence, now);
    if (typeof session === "string") {
      refuse(session);
      return;
    }

    const { worker: oldWorker, key: oldKey, sid } = session;
    if (oldWorker !== undefined) {
      flushPassed(oldWorker);
      oldWorker.link.send({ type: "hub:evict", namespace, sid, key: oldKey });
    }
    this.#sessions.move(session, sender, key);
    const parts = [session.data ?? Buffer.alloc(0), ...this.#sessions.missed(session, parsed.sequence, this.#sequence)];
    flushPassed(sender);
    sender.link.send(
      {
        type: "hub:restored",
        key,
        sequence: this.#sequence,
        outcome: { sid, rooms: session.namedRooms() },
        parts: parts.map(({ length }) => length),
      },
      Buffer.concat(parts),
    );
  }

  /** A key the hub does not know (any more) belongs to a socket that was moved elsewhere: what comes of it is stale. */
  #withSession(sender: HubWorker, key: number, act: (session: Session) => void): void {
    const session = sender.sessions.get(key);
    if (session !== undefined) act(session);
  }

  #othersWith(sender: HubWorker, namespace: string): HubWorker[] {
    return [...this.#workers].filter((worker) => worker !== sender && worker.namespaces.has(namespace));
  }

  #pass(sender: HubWorker, ticket: number): void {
    sender.passed = { ticket, sequence: this.#sequence };
  }

  #next(): number {
    this.#sequence++;
    return this.#sequence;
  }

  #tellCount(): void {
    for (const { link } of this.#workers) link.send({ type: "hub:workers", count: this.#workers.size });
  }
}

/** Tells the worker how far its own tickets have come, before anything else is sent to it. */
function flushPassed(worker: HubWorker): void {
  const { passed } = worker;
  if (passed === undefined) return;
  worker.passed = undefined;
  worker.link.sendFrame(encodePassed(passed.ticket, passed.sequence));
}

function receiversOf(rooms: readonly Room[]): Iterable<HubWorker> {
  const [room] = rooms;
  if (rooms.length === 1 && room !== undefined) return room.members.keys();
  return new Set(rooms.flatMap(({ members }) => [...members.keys()]));
}
