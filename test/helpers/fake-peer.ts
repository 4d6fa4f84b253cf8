// A worker as the primary's parts see it, without a process: what is sent to it is kept.

import { EventEmitter } from "node:events";
import type { Peer } from "../../src/bus/peers.ts";

export function fakePeer(slot = 0) {
  const sent: unknown[] = [];
  const connection = Object.assign(new EventEmitter(), {
    queuedBytes: 0,
    send: (message: object, body?: Uint8Array) => {
      sent.push(body === undefined ? message : { ...message, body: Buffer.from(body).toString() });
      return true;
    },
  });
  const peer = { role: "socket-worker", slot, incarnation: 1, connection } as unknown as Peer;
  return { peer, sent, connection };
}
