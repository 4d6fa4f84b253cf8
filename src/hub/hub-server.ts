// The hub at work in the primary: connects it to the workers' bus connections and to the clock.

import type { Publication } from "../bus/hub-frames.ts";
import type { SocketsMove } from "../bus/hub-messages.ts";
import type { BusMessage } from "../bus/messages.ts";
import type { Peer, Peers } from "../bus/peers.ts";
import type { PresenceDownMessage } from "../bus/presence-messages.ts";
import { Lifecycle } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/logger.ts";
import type { Options } from "../options/options.ts";
import { Hub, type HubStats } from "./hub.ts";
import type { HubCompanion } from "./hub-companion.ts";
import type { HubWorker } from "./hub-worker.ts";
import type { StateFile } from "./state-file.ts";
import { StateKeeper } from "./state-keeper.ts";

const SWEEP_MS = 1000;
const HANG_SLACK_MS = 2000;
/** Socket.IO closes a connection that has not been let in after 45 seconds. */
const MAX_EVICTION_MS = 30_000;

/** What a client may come to hear of somebody by, beside publications. */
const HEARD = new Set<BusMessage["type"]>(["hub:operation", "hub:ask"]);

export interface HubServerOptions {
  readonly peers: Peers;
  readonly options: Options;
  readonly log: Logger;
  /** Where its state is kept over a restart of the box; without it, it is not. */
  readonly stateFile?: StateFile | undefined;
}

export class HubServer extends Lifecycle {
  readonly #peers: Peers;
  readonly #hub: Hub;
  readonly #keeper: StateKeeper | undefined;
  readonly #workers = new Map<Peer, HubWorker>();
  #companion: HubCompanion | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor({ peers, options, log, stateFile: file }: HubServerOptions) {
    super();
    const { windowMs, maxLogBytes, maxSessions } = options.recovery;
    this.#peers = peers;
    // A worker that hangs is killed before.
    const evictionTimeoutMs = Math.min(options.supervisor.hangTimeoutMs + HANG_SLACK_MS, MAX_EVICTION_MS);
    this.#hub = new Hub({ windowMs, maxLogBytes, maxDetached: maxSessions, evictionTimeoutMs });
    this.#keeper = file && new StateKeeper({ hub: this.#hub, file, log });
  }

  /** The last place in the order that was given. */
  get sequence(): number {
    return this.#hub.sequence;
  }

  /** Numbers for metrics. */
  stats(): HubStats {
    return this.#hub.stats();
  }

  /** Call it before the first worker comes. */
  accompany(companion: HubCompanion): void {
    this.#companion = companion;
    this.#keeper?.accompany(companion);
  }

  /** Says something to a worker at this place of the order. */
  tell(peer: Peer, message: PresenceDownMessage): void {
    const worker = this.#workers.get(peer);
    // It has to know of everything before.
    if (worker !== undefined) this.#hub.onBatchEnd(worker);
    peer.connection.send(message);
  }

  /** Gives a message that came from outside the box its place. Room names are of at most 64 KiB, and as many. */
  publish(publication: Publication, payload: Uint8Array): void {
    this.#hub.publish(publication, payload, Date.now());
  }

  /** Lets sockets join or leave rooms for somebody outside the box. */
  moveSockets(move: SocketsMove): void {
    this.#hub.moveSockets(move);
  }

  /** Call it before the first client is served. */
  beginServing(): void {
    this.#keeper?.beginServing();
  }

  protected override async onStart(): Promise<void> {
    await this.#keeper?.takeUp();
    this.#peers.on("join", (peer) => {
      if (peer.role === "socket-worker") this.#serve(peer);
    });
    this.#timer = setInterval(() => this.#hub.sweep(Date.now()), SWEEP_MS);
  }

  /** Saves the state. Every worker has said all it had to say by then, and is gone. */
  protected override async onDrain(deadlineMs: number): Promise<void> {
    await this.#keeper?.save(deadlineMs);
  }

  protected override async onClose(): Promise<void> {
    clearInterval(this.#timer);
  }

  #serve(peer: Peer): void {
    const { slot, connection } = peer;
    const worker: HubWorker = this.#hub.addWorker(slot, connection);
    this.#workers.set(peer, worker);
    // One look at the clock for all that comes in one chunk.
    let chunkTakenAt: number | undefined;
    connection.on("message", (message, body) => {
      if (HEARD.has(message.type)) this.#companion?.beforeOrder(peer);
      chunkTakenAt ??= Date.now();
      this.#hub.onMessage(worker, message, body, chunkTakenAt);
    });
    connection.on("frame", (kind, frame) => {
      this.#companion?.beforeOrder(peer);
      chunkTakenAt ??= Date.now();
      this.#hub.onFrame(worker, kind, frame, chunkTakenAt);
    });
    connection.on("batchEnd", () => {
      chunkTakenAt = undefined;
      this.#hub.onBatchEnd(worker);
    });
    connection.on("drain", () => this.#hub.onDrain(worker, Date.now()));
    connection.on("close", () => {
      this.#workers.delete(peer);
      this.#hub.removeWorker(worker, Date.now());
    });
  }
}
