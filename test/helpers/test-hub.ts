// Workers of a hub that is tested without processes: they write down what they are told.

import { decodePublish, encodePublish, HUB_KIND, PUBLISH_FLAG, sequenceOf } from "../../src/bus/hub-frames.ts";
import type { HubDownMessage, HubRestoredMessage } from "../../src/bus/hub-messages.ts";
import { formatPosition } from "../../src/bus/position.ts";
import { Hub } from "../../src/hub/hub.ts";
import type { HubWorker } from "../../src/hub/hub-worker.ts";

export const NAMESPACE = "/";

/** A worker that writes down what it is told. */
export class TestWorker {
  readonly delivered: number[] = [];
  readonly messages: { message: HubDownMessage; body: Buffer }[] = [];
  /** What its connection says is waiting for it. */
  readonly link = { queuedBytes: 0 };
  /** Whether it does as the hub says when an old connection is to be closed. */
  closesEvicted = true;
  readonly worker: HubWorker;

  constructor(hub: Hub, slot: number) {
    this.worker = hub.addWorker(
      slot,
      Object.assign(this.link, {
        send: (message, body = Buffer.alloc(0)) => {
          this.messages.push({ message, body: Buffer.from(body) });
          if (message.type === "hub:evict" && this.closesEvicted) this.detach(hub, message.key);
        },
        sendFrame: (frame) => {
          if (frame[4] === HUB_KIND.publish) this.delivered.push(sequenceOf(frame));
        },
      }),
    );
    hub.onMessage(this.worker, { type: "hub:namespace", namespace: NAMESPACE }, Buffer.alloc(0), 0);
  }

  detach(hub: Hub, key: number): void {
    hub.onMessage(this.worker, { type: "hub:detach", key, isRecoverable: true }, Buffer.alloc(0), 0);
  }

  last<T extends HubDownMessage["type"]>(type: T): { message: Extract<HubDownMessage, { type: T }>; body: Buffer } {
    const found = this.messages.findLast(({ message }) => message.type === type);
    if (found === undefined) throw new Error(`no ${type} came`);
    return found as { message: Extract<HubDownMessage, { type: T }>; body: Buffer };
  }
}

interface TestHubOptions {
  readonly maxLogBytes?: number;
  readonly windowMs?: number;
}

export function newHub({ maxLogBytes = 64 * 1_048_576, windowMs = 1000 }: TestHubOptions = {}): Hub {
  return new Hub({ maxLogBytes, windowMs, maxDetached: 1000, evictionTimeoutMs: 1000 });
}

let lastTicket = 0;

export function attach(hub: Hub, { worker }: TestWorker, key: number, pid: string): void {
  lastTicket++;
  const identity = { namespace: NAMESPACE, sid: `sid-${pid}`, pid };
  hub.onMessage(worker, { type: "hub:attach", ticket: lastTicket, key, ...identity }, Buffer.alloc(0), 0);
}

export function changeRooms(
  hub: Hub,
  { worker }: TestWorker,
  type: "hub:join" | "hub:leave",
  key: number,
  room: string,
): void {
  lastTicket++;
  hub.onMessage(worker, { type, ticket: lastTicket, key, rooms: [room] }, Buffer.alloc(0), 0);
}

export function publish(hub: Hub, { worker }: TestWorker, rooms: string[], except: string[] = [], payload = "x"): void {
  lastTicket++;
  const publication = { flags: PUBLISH_FLAG.recoverable, namespace: NAMESPACE, rooms, except, firstFrameBytes: 0 };
  const frame = encodePublish(publication, lastTicket, Buffer.from(payload));
  hub.onFrame(worker, HUB_KIND.publish, frame, 0);
  hub.onBatchEnd(worker);
}

/** A client shows its session id and its position to a worker. */
export function ask(
  hub: Hub,
  { worker }: TestWorker,
  key: number,
  pid: string,
  sequence: number,
  now = 0,
  epoch: string = hub.epoch,
): void {
  const position = formatPosition({ epoch, sequence });
  hub.onMessage(worker, { type: "hub:restore", key, namespace: NAMESPACE, pid, position }, Buffer.alloc(0), now);
}

/** The hub's answer to that. */
export function restore(
  hub: Hub,
  test: TestWorker,
  key: number,
  pid: string,
  sequence: number,
  now = 0,
  epoch: string = hub.epoch,
): HubRestoredMessage {
  ask(hub, test, key, pid, sequence, now, epoch);
  return test.last("hub:restored").message;
}

/** The sequences of the messages that came with a restored session. */
export function missedBy(test: TestWorker): number[] {
  const { message, body } = test.last("hub:restored");
  let at = message.parts[0] ?? 0;
  return message.parts.slice(1).map((length) => {
    const part = body.subarray(at, at + length);
    at += length;
    decodePublish(part);
    return sequenceOf(part);
  });
}
