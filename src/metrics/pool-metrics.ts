// The metrics of the cpu process: its pool, and itself as a process. Reports to the primary like a socket worker does.

import type { BusConnection } from "../bus/connection.ts";
import type { BusMessage } from "../bus/messages.ts";
import { BucketHistogram } from "./bucket-histogram.ts";
import { family, type MetricFamily, single } from "./family.ts";
import { LabelCounter } from "./label-counter.ts";
import { MetricsReporter } from "./metrics-reporter.ts";
import { ProcessMetrics } from "./process-metrics.ts";

/** How a task ended: `refused` never got a place in the queue. */
export type TaskOutcome = "done" | "failed" | "refused" | "deadline" | "aborted" | "crashed";

export interface PoolFigures {
  readonly queued: number;
  readonly running: number;
  readonly threads: number;
}

export interface PoolMetricsOptions {
  readonly bus: BusConnection;
  /** Asked at every report. */
  readonly figures: () => PoolFigures;
}

export class PoolMetrics {
  readonly #figures: () => PoolFigures;
  readonly #process = new ProcessMetrics({ role: "cpu" });
  readonly #reporter: MetricsReporter;
  readonly #outcomes = new LabelCounter(["outcome"]);
  readonly #wait = new BucketHistogram();
  readonly #run = new BucketHistogram();

  constructor({ bus, figures }: PoolMetricsOptions) {
    this.#figures = figures;
    this.#reporter = new MetricsReporter({
      bus,
      take: async () => [...(await this.#process.families()), ...this.#own()],
    });
  }

  /** For every message of the bus: answers the primary's request, ignores the rest. */
  handle(message: BusMessage): void {
    this.#reporter.handle(message);
  }

  onStart(waitedMs: number): void {
    this.#wait.observe(waitedMs / 1000);
  }

  onEnd(outcome: TaskOutcome): void {
    this.#outcomes.add(outcome);
  }

  /** A task left its thread, however it ended. */
  onRan(ranMs: number): void {
    this.#run.observe(ranMs / 1000);
  }

  /** Sends the last numbers and stops. */
  async close(): Promise<void> {
    await this.#reporter.stop();
    this.#process.stop();
  }

  #own(): MetricFamily[] {
    const { queued, running, threads } = this.#figures();
    return [
      single("allcores_pool_queued", queued),
      single("allcores_pool_running", running),
      single("allcores_pool_threads", threads),
      family("allcores_pool_tasks_total", this.#outcomes.samples()),
      family("allcores_pool_wait_seconds", this.#wait.samples("allcores_pool_wait_seconds")),
      family("allcores_pool_run_seconds", this.#run.samples("allcores_pool_run_seconds")),
    ];
  }
}
