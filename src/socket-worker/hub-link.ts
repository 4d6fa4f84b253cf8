// The socket worker's end of the hub: sends under tickets, and lets things happen when their ticket comes back.
//
// What a worker sends to the hub has its place in the box's order only when the hub says so. Until then everything this
// worker does locally that must not overtake it waits in line here; with nothing on its way, nothing waits.

import type { BusConnection } from "../bus/connection.ts";
import { decodePassed, encodePublish, HUB_KIND, type Publication, sequenceOf } from "../bus/hub-frames.ts";
import type {
  HubAskMessage,
  HubAttachMessage,
  HubDownMessage,
  HubMembershipMessage,
  HubMoveMessage,
  HubOperationMessage,
  HubSyncMessage,
  HubUpMessage,
} from "../bus/hub-messages.ts";
import type { BusMessage } from "../bus/messages.ts";

/** Tickets are 32 bits on the wire. */
const TICKETS = 2 ** 32;

interface InLine {
  readonly ticket: number;
  readonly run: (sequence: number) => void;
}

/** A message that takes a place in the order, before it has its ticket. */
type Ticketed =
  | HubAttachMessage
  | HubMembershipMessage
  | HubOperationMessage
  | HubMoveMessage
  | HubSyncMessage
  | HubAskMessage;
type Unticketed<M> = M extends unknown ? Omit<M, "ticket"> : never;

export interface HubReceiver {
  /** A message to rooms, at its place in the order. */
  onPublication(frame: Buffer): void;
  onMessage(message: HubDownMessage, body: Buffer): void;
  /** Everything of a chunk has been received. */
  onBatchEnd(): void;
}

export class HubLink {
  readonly #bus: BusConnection;
  #receiver: HubReceiver | undefined;
  readonly #line: InLine[] = [];
  #sent = 0;
  #passed = 0;
  #sequence = 0;

  constructor(bus: BusConnection) {
    this.#bus = bus;
    bus.on("frame", (kind, frame) => this.#onFrame(kind, frame));
    bus.on("batchEnd", () => this.#receiver?.onBatchEnd());
  }

  set receiver(receiver: HubReceiver) {
    this.#receiver = receiver;
  }

  /** The place in the box's order up to which this worker has delivered. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Whether nothing is on its way, and nothing in line. */
  get isClear(): boolean {
    return this.#line.length === 0 && this.#sent === this.#passed;
  }

  /** Runs `act` when everything sent so far has its place: at once when nothing is on its way. */
  inOrder(act: () => void): void {
    if (this.isClear) act();
    else this.#line.push({ ticket: this.#sent, run: act });
  }

  /** Sends a message that takes a place; `run` is called at that place. Returns the ticket. */
  send(message: Unticketed<Ticketed>, run?: (sequence: number) => void, body?: Uint8Array): number {
    const ticket = this.#nextTicket(run);
    this.#bus.send({ ...message, ticket } as Ticketed, body);
    return ticket;
  }

  /** Whether what was sent under the ticket has its place, before everything that comes from now on. */
  hasPassed(ticket: number): boolean {
    return isAtMost(ticket, this.#passed);
  }

  /** Sends a message that takes no place. */
  tell(message: Exclude<HubUpMessage, Ticketed>, body?: Uint8Array): void {
    this.#bus.send(message, body);
  }

  /** Sends a message to rooms; `run` is called at its place. */
  publish(publication: Publication, payload: Buffer, run: (sequence: number) => void): void {
    this.#bus.sendFrame(encodePublish(publication, this.#nextTicket(run), payload));
  }

  /** Takes what came over the bus; ignores what is not from the hub. */
  handle(message: BusMessage, body: Buffer): void {
    if (!message.type.startsWith("hub:")) return;
    if ("sequence" in message && typeof message.sequence === "number") this.#sequence = message.sequence;
    this.#receiver?.onMessage(message as HubDownMessage, body);
  }

  #nextTicket(run: ((sequence: number) => void) | undefined): number {
    this.#sent = (this.#sent + 1) % TICKETS;
    if (run !== undefined) this.#line.push({ ticket: this.#sent, run });
    return this.#sent;
  }

  #onFrame(kind: number, frame: Buffer): void {
    if (kind === HUB_KIND.publish) {
      this.#sequence = sequenceOf(frame);
      this.#receiver?.onPublication(frame);
    }
    if (kind === HUB_KIND.passed) decodePassed(frame, this.#onPassed);
  }

  readonly #onPassed = (ticket: number, sequence: number): void => {
    this.#passed = ticket;
    this.#sequence = sequence;
    this.#runUpTo(ticket, sequence);
  };

  /** What runs may send and stand in line itself: behind what is in line already, and for a later ticket. */
  #runUpTo(ticket: number, sequence: number): void {
    let first = this.#line[0];
    while (first !== undefined && isAtMost(first.ticket, ticket)) {
      this.#line.shift();
      first.run(sequence);
      first = this.#line[0];
    }
  }
}

/** Compares tickets that wrap: `a` was given no later than `b`. */
export function isAtMost(a: number, b: number): boolean {
  return (b - a + TICKETS) % TICKETS < TICKETS / 2;
}
