// What one client sends: it numbers its messages, keeps them while it is away, as the stock client does, and remembers
// which ones still wait for their ack.

import { AckBook } from "../ledger/ack-book.ts";
import type { FrameTemplate } from "./frame-template.ts";

/** How a client's messages look and where they go. */
export interface Equipment {
  readonly template: FrameTemplate;
  readonly room: number;
  readonly asksAck: boolean;
}

interface Message {
  readonly number: number;
  /** Of traffic, in microseconds. */
  readonly dueUs: number;
}

const MAX_WAITING = 10_000;

export class Outbox {
  readonly acks = new AckBook();
  readonly #client: number;
  readonly #write: (frame: Buffer) => void;
  readonly #waiting: Message[] = [];
  #equipment: Equipment | undefined;
  #sent = 0;

  /** `write` takes the frames that leave. */
  constructor(client: number, write: (frame: Buffer) => void) {
    this.#client = client;
    this.#write = write;
  }

  /** Messages it has numbered: they left, or wait until the client is back. */
  get sent(): number {
    return this.#sent;
  }

  /** Everything has left, and what asked for an ack has one. */
  get isDone(): boolean {
    return this.#waiting.length === 0 && this.acks.size === 0;
  }

  equip(equipment: Equipment): void {
    this.#equipment = equipment;
  }

  /** The next message, which leaves at once when the client `isReady`. False when too many are kept already. */
  send(dueUs: number, isReady: boolean): boolean {
    if (this.#waiting.length >= MAX_WAITING) return false;
    const message = { number: this.#sent++, dueUs };
    if (isReady) this.#transmit(message);
    else this.#waiting.push(message);
    return true;
  }

  /** The client is back: what was kept leaves. */
  flush(): void {
    for (const message of this.#waiting.splice(0)) this.#transmit(message);
  }

  /** What is still kept is never sent. */
  dropWaiting(): void {
    this.#sent -= this.#waiting.length;
    this.#waiting.length = 0;
  }

  #transmit({ number, dueUs }: Message): void {
    if (this.#equipment === undefined) return;
    const { template, room, asksAck } = this.#equipment;
    if (asksAck) this.acks.opened(number, dueUs);
    this.#write(template.make({ sender: this.#client, room, number, dueUs }));
  }
}
