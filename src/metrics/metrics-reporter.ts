// Sends the metrics of one process to the primary: at once when the primary asks, and every few seconds anyway:
// what was sent last is what the box keeps when this process is killed.

import type { BusConnection } from "../bus/connection.ts";
import type { BusMessage } from "../bus/messages.ts";
import type { Snapshot } from "./family.ts";
import { encodeSnapshot } from "./snapshot-codec.ts";

export interface MetricsReporterOptions {
  readonly bus: BusConnection;
  /** Takes a snapshot of this process. Never rejects. */
  readonly take: () => Promise<Snapshot>;
  /** Pause between two reports that nobody asked for, in milliseconds. @default 5000 */
  readonly intervalMs?: number;
}

/**
 * A series costs some 5 microseconds, so at most 1 % of the time goes into reports. Counted and not measured: on a busy
 * machine a snapshot takes long without costing much.
 */
const PAUSE_PER_SERIES_MS = 0.5;

export class MetricsReporter {
  readonly #options: MetricsReporterOptions;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #round = 0;
  #reporting: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: MetricsReporterOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs ?? 5000;
    void this.#report();
  }

  handle(message: BusMessage): void {
    if (message.type !== "metricsRequest" || this.#isStopped) return;
    this.#round = message.round;
    void this.#report();
  }

  /** Sends a last report and stops. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#reporting;
    await this.#send();
    clearTimeout(this.#timer);
  }

  /** One report at a time; who asks during one gets its numbers. */
  #report(): Promise<void> {
    this.#reporting ??= this.#send().finally(() => {
      this.#reporting = undefined;
    });
    return this.#reporting;
  }

  async #send(): Promise<void> {
    clearTimeout(this.#timer);
    const snapshot = await this.#options.take();
    this.#options.bus.send({ type: "metricsReport", round: this.#round }, encodeSnapshot(snapshot));
    if (this.#isStopped) return;

    const series = snapshot.reduce((sum, { values }) => sum + values.length, 0);
    const pauseMs = Math.max(this.#intervalMs, series * PAUSE_PER_SERIES_MS);
    this.#timer = setTimeout(() => void this.#report(), pauseMs).unref();
  }
}
