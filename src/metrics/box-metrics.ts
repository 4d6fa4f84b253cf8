// The metrics of the whole box, in the primary: collects what the processes report, and prints it.
//
// A scrape asks every process for fresh numbers and waits a moment. Who does not answer is shown with its last numbers
// and their age, and is not waited for again until it spoke: a hung worker costs one scrape 300 ms and no other any.

import { performance } from "node:perf_hooks";
import type { BusMessage } from "../bus/messages.ts";
import type { Peer, Peers } from "../bus/peers.ts";
import { type Deferred, defer, settledWithin } from "../lib/deadline.ts";
import type { TrafficTotals } from "../primary/status.ts";
import { type BoxFigures, boxFamilies } from "./box-figures.ts";
import { family, type MetricFamily, type MetricSample } from "./family.ts";
import { MetricsLedger } from "./metrics-ledger.ts";
import { PrimaryCounters } from "./primary-counters.ts";
import { ProcessMetrics } from "./process-metrics.ts";
import { renderSnapshots } from "./render.ts";
import { decodeSnapshot } from "./snapshot-codec.ts";

const ANSWER_DEADLINE_MS = 300;

export interface BoxMetricsOptions {
  readonly peers: Peers;
  /** Asked at every scrape. */
  readonly figures: () => BoxFigures;
}

export class BoxMetrics {
  /** For the parts of the primary to count on. */
  readonly counters = new PrimaryCounters();
  readonly #figures: () => BoxFigures;
  readonly #process = new ProcessMetrics({ role: "primary" });
  readonly #ledger = new MetricsLedger<Peer>();
  readonly #peers = new Set<Peer>();
  /** Processes that were asked and have not answered. */
  readonly #owing = new Set<Peer>();
  #round = 0;
  #collecting: Promise<void> | undefined;
  #answered: Deferred<void> = defer();
  #asked = new Set<Peer>();

  /** Listens from now on: make it before the first process connects. */
  constructor({ peers, figures }: BoxMetricsOptions) {
    this.#figures = figures;
    peers.on("join", (peer) => this.#join(peer));
    peers.on("message", (peer, message, body) => this.#receive(peer, message, body));
    peers.on("leave", (peer) => this.#leave(peer));
  }

  /** The page for Prometheus. Takes 300 ms at most, and a rendering. */
  async text(): Promise<string> {
    this.#collecting ??= this.#collect().finally(() => {
      this.#collecting = undefined;
    });
    await this.#collecting;
    const own = [...(await this.#process.families()), ...this.#ownFamilies()];
    return renderSnapshots([own, ...this.#ledger.snapshots()]);
  }

  /** Totals of the box as of the latest reports, a second or so old. */
  traffic(): TrafficTotals {
    return {
      messagesIn: this.#ledger.total("allcores_messages_received_total"),
      messagesOut: this.#ledger.total("allcores_messages_sent_total"),
      bytesIn: this.#ledger.total("allcores_received_bytes_total"),
      bytesOut: this.#ledger.total("allcores_sent_bytes_total"),
      connects: this.#ledger.total("allcores_connects_total"),
      disconnects: this.#ledger.total("allcores_disconnects_total") + this.counters.lost,
      errors: this.#ledger.total("allcores_errors_total") + this.counters.errors,
    };
  }

  close(): void {
    this.#process.stop();
  }

  async #collect(): Promise<void> {
    this.#round++;
    this.#answered = defer();
    this.#asked = new Set([...this.#peers].filter((peer) => !this.#owing.has(peer)));
    if (this.#asked.size === 0) return;
    for (const peer of this.#asked) {
      this.#owing.add(peer);
      peer.connection.send({ type: "metricsRequest", round: this.#round });
    }
    await settledWithin(this.#answered.promise, ANSWER_DEADLINE_MS);
  }

  #join(peer: Peer): void {
    this.#peers.add(peer);
    this.#ledger.record(peer, [], performance.now());
  }

  #receive(peer: Peer, message: BusMessage, body: Buffer): void {
    if (message.type !== "metricsReport" || !this.#peers.has(peer)) return;
    const snapshot = decodeSnapshot(body);
    if (snapshot !== undefined) this.#ledger.record(peer, snapshot, performance.now());
    const isStale = this.#asked.has(peer) && message.round !== this.#round;
    if (!isStale) this.#settle(peer);
  }

  #leave(peer: Peer): void {
    this.#peers.delete(peer);
    const lost = this.#ledger.totalOf(peer, "allcores_connections");
    if (lost > 0) this.counters.sessionsLost(peer.slot, lost);
    this.#ledger.retire(peer);
    this.#settle(peer);
  }

  #settle(peer: Peer): void {
    this.#owing.delete(peer);
    this.#asked.delete(peer);
    if (this.#asked.size === 0) this.#answered.resolve();
  }

  #ownFamilies(): MetricFamily[] {
    const now = performance.now();
    const peers = [...this.#peers];
    const ages = peers.map((peer) => ({
      labels: labelsOf(peer),
      value: (now - (this.#ledger.reportedAtMs(peer) ?? now)) / 1000,
    }));
    const queued = peers.map((peer) => ({
      labels: { ...labelsOf(peer), direction: "from_primary" },
      value: peer.connection.queuedBytes,
    }));
    return [
      ...boxFamilies(this.#figures()),
      ...this.counters.families(),
      family("allcores_metrics_age_seconds", ages),
      family("allcores_bus_queued_bytes", queued),
    ];
  }
}

function labelsOf({ role, slot }: Peer): MetricSample["labels"] {
  return role === "socket-worker" ? { role, slot } : { role };
}
