// The hub at work in the primary: connects it to the workers' bus connections and to the clock.

import type { Peer, Peers } from "../bus/peers.ts";
import { Lifecycle } from "../lib/lifecycle.ts";
import type { Options } from "../options/options.ts";
import { Hub, type HubStats } from "./hub.ts";
import type { HubWorker } from "./hub-worker.ts";

const SWEEP_MS = 1000;

export interface HubServerOptions {
  readonly peers: Peers;
  readonly options: Options;
}

export class HubServer extends Lifecycle {
  readonly #peers: Peers;
  readonly #hub: Hub;
  #timer: NodeJS.Timeout | undefined;

  constructor({ peers, options }: HubServerOptions) {
    super();
    const { windowMs, maxLogBytes, maxSessions } = options.recovery;
    this.#peers = peers;
    this.#hub = new Hub({ windowMs, maxLogBytes, maxDetached: maxSessions });
  }

  /** Numbers for metrics. */
  stats(): HubStats {
    return this.#hub.stats();
  }

  protected override async onStart(): Promise<void> {
    this.#peers.on("join", (peer) => {
      if (peer.role === "socket-worker") this.#serve(peer);
    });
    this.#timer = setInterval(() => this.#hub.sweep(Date.now()), SWEEP_MS);
  }

  protected override async onClose(): Promise<void> {
    clearInterval(this.#timer);
  }

  #serve({ slot, connection }: Peer): void {
    const worker: HubWorker = this.#hub.addWorker(slot, connection);
    connection.on("message", (message, body) => this.#hub.onMessage(worker, message, body, Date.now()));
    connection.on("frame", (kind, body) => this.#hub.onFrame(worker, kind, body, Date.now()));
    connection.on("batchEnd", () => this.#hub.onBatchEnd(worker));
    connection.on("close", () => this.#hub.removeWorker(worker, Date.now()));
  }
}
