// The metrics of one socket worker: counts what its clients do, adds what the app registered, reports to the primary.

import { Registry } from "prom-client";
import type { Server } from "socket.io";
import type { BusConnection } from "../bus/connection.ts";
import type { BusMessage } from "../bus/messages.ts";
import { errorFields, type Logger } from "../lib/logger.ts";
import { reservedNames, takeAppMetrics } from "./app-metrics.ts";
import { ErrorCounter } from "./error-counter.ts";
import { family, type MetricFamily, type Snapshot, single } from "./family.ts";
import { LabelCounter } from "./label-counter.ts";
import { MetricsReporter } from "./metrics-reporter.ts";
import { ProcessMetrics } from "./process-metrics.ts";
import { Traffic } from "./traffic.ts";

export interface WorkerMetricsOptions {
  readonly io: Server;
  readonly bus: BusConnection;
  readonly slot: number;
  readonly log: Logger;
  /** Pause between two reports that nobody asked for, in milliseconds. @default 1000 */
  readonly intervalMs?: number;
}

export class WorkerMetrics {
  /** The app's own metrics: `box.metrics`. */
  readonly registry = new Registry();
  readonly #bus: BusConnection;
  readonly #log: Logger;
  readonly #slot: number;
  readonly #traffic: Traffic;
  readonly #process: ProcessMetrics;
  readonly #reporter: MetricsReporter;
  readonly #errors = new ErrorCounter();
  readonly #refusals = new LabelCounter(["reason"]);
  readonly #recoveries = new LabelCounter(["outcome"]);
  readonly #warned = new Set<string>();
  #appFailures = 0;

  /** Counts and reports from now on. Call it before clients connect. */
  constructor({ io, bus, slot, log, intervalMs }: WorkerMetricsOptions) {
    this.#bus = bus;
    this.#log = log;
    this.#slot = slot;
    this.#traffic = new Traffic(io);
    this.#process = new ProcessMetrics({ role: "socket-worker", slot });
    this.#reporter = new MetricsReporter({
      bus,
      take: () => this.#take(),
      ...(intervalMs !== undefined && { intervalMs }),
    });
  }

  /** For every message of the bus: answers the primary's request, ignores the rest. */
  handle(message: BusMessage): void {
    this.#reporter.handle(message);
  }

  /**
   * A handshake, packet or event was refused. `reason` is one of few words, never what a client sent. `handler` means
   * that not the client was at fault but the app's code, which is an error.
   */
  onRefusal(reason: string): void {
    if (reason === "handler") this.#errors.add({ code: "ALLCORES_ERR_HANDLER" }, "handler");
    else this.#refusals.add(reason);
  }

  /** A message reached a client past Engine.IO. */
  countSent(messages: number, bytes: number): void {
    this.#traffic.countSent(messages, bytes);
  }

  /** A client came back and asked for its session. `outcome` is one of few words. */
  onRestore(outcome: string): void {
    this.#recoveries.add(outcome);
  }

  /** An error was caught. `stage` is one of few words that say where; codes that are not allcores' count as "other". */
  onError(error: unknown, { stage }: { readonly stage: string }): void {
    this.#errors.add(error, stage);
  }

  /** The worst lag of the event loop in the last second or two, in milliseconds. */
  recentLagMs(): number {
    return this.#process.recentLagMs();
  }

  /** Sends the last numbers and stops. Call it before the process ends on purpose. */
  async close(): Promise<void> {
    await this.#reporter.stop();
    this.#process.stop();
  }

  async #take(): Promise<Snapshot> {
    const app = await this.#takeApp();
    return [...(await this.#process.families()), ...this.#ownFamilies(), ...app];
  }

  #ownFamilies(): MetricFamily[] {
    const labels = { slot: this.#slot };
    return [
      ...this.#traffic.families(labels),
      family("allcores_errors_total", this.#errors.samples()),
      family("allcores_refusals_total", this.#refusals.samples()),
      family("allcores_recoveries_total", this.#recoveries.samples()),
      single("allcores_app_metrics_failures_total", this.#appFailures, labels),
      single("allcores_bus_queued_bytes", this.#bus.queuedBytes, {
        role: "socket-worker",
        slot: this.#slot,
        direction: "to_primary",
      }),
    ];
  }

  async #takeApp(): Promise<Snapshot> {
    for (const name of reservedNames(this.registry)) {
      this.#warnOnce(name, {}, `the app's metric ${name} is not shown: names with allcores_ are taken`);
    }
    try {
      return await takeAppMetrics(this.registry);
    } catch (error) {
      this.#appFailures++;
      this.#warnOnce("failed", errorFields(error), "the app's metrics are left out of /metrics");
      return [];
    }
  }

  #warnOnce(key: string, fields: object, message: string): void {
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    this.#log.warn(fields, message);
  }
}
