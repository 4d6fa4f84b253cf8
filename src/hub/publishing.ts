// A message's way through the hub: it gets its place, is remembered for those who may return, and its bytes go on to the
// workers that have members of its rooms.

import { decodePublish, PUBLISH_FLAG, type Publication, stampSequence } from "../bus/hub-frames.ts";
import { stampPosition } from "../bus/position.ts";
import type { HubWorker } from "./hub-worker.ts";
import type { MessageLog } from "./message-log.ts";
import type { Order } from "./order.ts";
import { type Room, workersIn } from "./room.ts";
import type { Rooms } from "./rooms.ts";

export interface PublishingOptions {
  readonly order: Order;
  readonly rooms: Rooms;
  readonly log: MessageLog;
}

export class Publishing {
  readonly #order: Order;
  readonly #rooms: Rooms;
  readonly #log: MessageLog;

  constructor({ order, rooms, log }: PublishingOptions) {
    this.#order = order;
    this.#rooms = rooms;
    this.#log = log;
  }

  /** Takes a publish frame; without a sender, it came from outside the box. Throws `ALLCORES_ERR_BUS_FRAME`. */
  publish(sender: HubWorker | undefined, frame: Buffer, now: number): void {
    const publication = decodePublish(frame);
    const { flags, payloadAt, firstFrameBytes } = publication;
    const sequence = this.#order.next();
    stampSequence(frame, sequence);
    if (flags & PUBLISH_FLAG.hasPosition) stampPosition(frame, payloadAt + firstFrameBytes, sequence);

    const rooms = this.#rooms.named(publication.namespace, publication.rooms);
    if (flags & PUBLISH_FLAG.recoverable) this.#remember(publication, rooms, sequence, frame, now);
    for (const worker of workersIn(rooms)) if (worker !== sender) worker.sendFrame(frame);
    sender?.pass(publication.ticket, sequence);
  }

  #remember(
    { namespace, except }: Publication,
    rooms: readonly Room[],
    sequence: number,
    frame: Buffer,
    now: number,
  ): void {
    if (!rooms.some(({ retainers }) => retainers > 0)) return;
    this.#log.append(sequence, frame, now);
    for (const room of rooms) if (room.retainers > 0) room.remember(sequence, this.#log.evictedTo);
    for (const name of except) {
      const room = this.#rooms.get(namespace, name);
      if (room !== undefined) room.exceptedAt = sequence;
    }
  }
}
