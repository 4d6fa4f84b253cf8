// A socket worker as the hub sees it: how to reach it, and which sessions live there.

import type { HubDownMessage } from "../bus/hub-messages.ts";
import type { Session } from "./session.ts";

/** The way to one worker. In the primary it is the worker's bus connection. */
export interface HubLink {
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
  /** What it may be told in one `passed` frame for many tickets: nothing else has been sent to it since. */
  passed: { ticket: number; sequence: number } | undefined;

  constructor(slot: number, link: HubLink) {
    this.slot = slot;
    this.link = link;
  }
}
