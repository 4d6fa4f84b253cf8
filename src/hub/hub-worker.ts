// A socket worker as the hub sees it: how to reach it, and which sessions live there.

import { encodePassed, type Place } from "../bus/hub-frames.ts";
import type { HubDownMessage, HubRestoreMessage } from "../bus/hub-messages.ts";
import type { Session } from "./session.ts";

/** The way to one worker. In the primary it is the worker's bus connection. */
export interface HubLink {
  /** Bytes that it has not taken yet. */
  readonly queuedBytes: number;
  send(message: HubDownMessage, body?: Uint8Array): void;
  sendFrame(frame: Buffer): void;
}

export class HubWorker {
  readonly slot: number;
  readonly link: HubLink;
  /** Sessions by the key the worker chose for them. */
  readonly sessions = new Map<number, Session>();
  /** Namespaces it has told of. */
  readonly namespaces = new Set<string>();
  /** Clients' requests for their session that wait until it has taken what was sent to it. */
  readonly waitingRestores: HubRestoreMessage[] = [];
  /** Places of its own tickets that it has not been told of. Nothing with a later place has been sent to it. */
  #passed: Place[] = [];

  constructor(slot: number, link: HubLink) {
    this.slot = slot;
    this.link = link;
  }

  /** What it sent under the ticket has its place. */
  pass(ticket: number, sequence: number): void {
    this.#passed.push({ ticket, sequence });
  }

  /** Tells it where its own tickets have their places. */
  flushPassed(): void {
    if (this.#passed.length === 0) return;
    const places = this.#passed;
    this.#passed = [];
    this.link.sendFrame(encodePassed(places));
  }

  /** Sends it a message at this place of the order: it knows of everything before by then. */
  send(message: HubDownMessage, body?: Uint8Array): void {
    this.flushPassed();
    this.link.send(message, body);
  }

  /** Sends it a frame, likewise. */
  sendFrame(frame: Buffer): void {
    this.flushPassed();
    this.link.sendFrame(frame);
  }
}
