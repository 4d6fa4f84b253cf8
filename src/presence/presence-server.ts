// The primary's half of presence: applies what workers say to the registry, and tells those with members in a room
// what changed there. The rules are in presence-registry.ts; here are the clock, the timers and the bus.
//
// With the box's own hub, what it says has its place among the messages: a join is told before anything that its worker
// has ordered since, and a leave after everything that was ordered before.

import type { BusMessage } from "../bus/messages.ts";
import { toWireError } from "../bus/messages.ts";
import type { Peer, Peers } from "../bus/peers.ts";
import type { PresenceDownMessage, PresenceJoinMessage } from "../bus/presence-messages.ts";
import type { HubServer } from "../hub/hub-server.ts";
import { PresenceRegistry } from "../hub/presence-registry.ts";
import type { PresenceState } from "../hub/presence-state.ts";
import { Lifecycle } from "../lib/lifecycle.ts";
import type { Options } from "../options/options.ts";

/** The first change goes out at once, those that follow within this time go together: a crowd costs few messages. */
const FLUSH_INTERVAL_MS = 20;

export interface PresenceServerOptions {
  readonly peers: Peers;
  readonly options: Options;
  /** Gives what is said here its place among the messages. */
  readonly hub?: HubServer | undefined;
}

/** Joins and queries of one worker about one room that wait for the next flush. */
interface Waiting {
  readonly peer: Peer;
  readonly room: string;
  readonly requests: number[];
  /** The worker has just got its first member there: it knows no state to which a diff could be applied. */
  isNew: boolean;
  hasQuery: boolean;
}

export class PresenceServer extends Lifecycle {
  readonly #peers: Peers;
  readonly #hub: HubServer | undefined;
  readonly #registry: PresenceRegistry<Peer>;
  readonly #waiting = new Map<Peer, Map<string, Waiting>>();
  #flushTimer: NodeJS.Timeout | undefined;
  #expiryTimer: NodeJS.Timeout | undefined;
  #flushedAt = Number.NEGATIVE_INFINITY;

  constructor({ peers, options, hub }: PresenceServerOptions) {
    super();
    this.#peers = peers;
    this.#hub = hub;
    const { graceMs, maxMembers } = options.presence;
    this.#registry = new PresenceRegistry({ graceMs, maxEntries: maxMembers });
  }

  /** Entries (one a socket and room) and rooms, as `status` shows them. */
  status(): { readonly members: number; readonly rooms: number } {
    return { members: this.#registry.entries, rooms: this.#registry.rooms };
  }

  /** Everybody who is here, all of them about to be lost. */
  snapshot(): PresenceState {
    return this.#registry.snapshot();
  }

  /** Those who were here in the last box have `graceMs` from now on to come back. */
  restore(state: PresenceState): void {
    this.#registry.restore(state, performance.now());
    this.#armExpiry();
  }

  /** Something of the worker is about to be ordered: who it said had joined has to be known before. */
  beforeOrder(peer: Peer): void {
    if (!this.#waiting.has(peer)) return;
    clearTimeout(this.#flushTimer);
    this.#flush();
  }

  protected override async onStart(): Promise<void> {
    this.#hub?.accompany(this);
    this.#peers.on("message", this.#onMessage);
    this.#peers.on("leave", this.#onLeave);
  }

  protected override async onClose(): Promise<void> {
    this.#peers.off("message", this.#onMessage);
    this.#peers.off("leave", this.#onLeave);
    clearTimeout(this.#flushTimer);
    clearTimeout(this.#expiryTimer);
  }

  readonly #onMessage = (peer: Peer, message: BusMessage): void => {
    switch (message.type) {
      case "presenceJoin":
        this.#join(peer, message);
        break;
      case "presenceLeave":
        this.#registry.leave(peer, message.socket, message.room);
        this.#changed();
        break;
      case "presenceDrop":
        this.#registry.drop(peer, message.socket, performance.now());
        this.#changed();
        break;
      case "presenceQuery":
        this.#waitFor(peer, message.room, message.request).hasQuery = true;
        break;
    }
  };

  readonly #onLeave = (peer: Peer): void => {
    this.#waiting.delete(peer);
    this.#registry.dropWorker(peer, performance.now());
    this.#changed();
  };

  #join(peer: Peer, { request, room, socket, user, info }: PresenceJoinMessage): void {
    try {
      const isFirst = this.#registry.join({ worker: peer, socket, room, user, info });
      const waiting = this.#waitFor(peer, room, request);
      waiting.isNew ||= isFirst;
    } catch (error) {
      this.#tell(peer, { type: "presenceRefused", request, error: toWireError(error) });
    }
  }

  #tell(peer: Peer, message: PresenceDownMessage): void {
    if (this.#hub === undefined) peer.connection.send(message);
    else this.#hub.tell(peer, message);
  }

  #waitFor(peer: Peer, room: string, request: number): Waiting {
    const rooms = this.#waiting.get(peer) ?? new Map<string, Waiting>();
    const waiting = rooms.get(room) ?? { peer, room, requests: [], isNew: false, hasQuery: false };
    waiting.requests.push(request);
    this.#waiting.set(peer, rooms.set(room, waiting));
    this.#changed();
    return waiting;
  }

  #changed(): void {
    this.#armExpiry();
    if (this.#flushTimer !== undefined) return;
    const waitMs = Math.max(0, this.#flushedAt + FLUSH_INTERVAL_MS - performance.now());
    this.#flushTimer = setTimeout(() => this.#flush(), waitMs);
  }

  #flush(): void {
    this.#flushTimer = undefined;
    this.#flushedAt = performance.now();
    for (const diff of this.#registry.takeChanges()) {
      for (const peer of this.#registry.watchers(diff.room)) {
        const isNew = this.#waiting.get(peer)?.get(diff.room)?.isNew ?? false;
        if (!isNew) this.#tell(peer, { type: "presenceDiff", ...diff });
      }
    }
    for (const rooms of this.#waiting.values()) for (const waiting of rooms.values()) this.#answer(waiting);
    this.#waiting.clear();
  }

  #answer({ peer, room, requests, isNew, hasQuery }: Waiting): void {
    const { version, members } = this.#registry.state(room);
    const isComplete = isNew || hasQuery || !this.#registry.isWatching(peer, room);
    this.#tell(peer, { type: "presenceState", requests, room, version, ...(isComplete && { members }) });
  }

  /** An armed timer is never late: what was lost later expires later. */
  #armExpiry(): void {
    const { nextExpiryAt } = this.#registry;
    if (nextExpiryAt === undefined || this.#expiryTimer !== undefined) return;
    const waitMs = Math.max(0, nextExpiryAt - performance.now());
    this.#expiryTimer = setTimeout(() => {
      this.#expiryTimer = undefined;
      this.#registry.expire(performance.now());
      this.#changed();
    }, waitMs);
  }
}
