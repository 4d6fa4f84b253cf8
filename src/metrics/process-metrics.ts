// What every process of the box tells about itself: event loop, memory, CPU time, file descriptors.

import type { MetricFamily, MetricSample } from "./family.ts";
import { LoopMonitor } from "./loop-monitor.ts";
import { processFamilies } from "./process-figures.ts";

export class ProcessMetrics {
  readonly #loop = new LoopMonitor();
  readonly #labels: MetricSample["labels"];

  constructor(labels: MetricSample["labels"]) {
    this.#labels = labels;
  }

  /** The worst lag of the event loop in the last second or two, in milliseconds. */
  recentLagMs(): number {
    return this.#loop.recentWorstMs();
  }

  async families(): Promise<MetricFamily[]> {
    return [...this.#loop.families(this.#labels), ...(await processFamilies(this.#labels))];
  }

  stop(): void {
    this.#loop.stop();
  }
}
