// How late timers fire in this process, and how busy its event loop is.
//
// Not perf_hooks' monitorEventLoopDelay: its `reset()` forgets the interval that is under way, so a stall during which
// the window's timer becomes due is lost. Here the tick that measures is the tick that turns the window.

import { performance } from "node:perf_hooks";
import { BucketHistogram } from "./bucket-histogram.ts";
import { family, type MetricFamily, type MetricSample, single } from "./family.ts";

export interface LoopMonitorOptions {
  /** How often to look, in milliseconds. @default 100 */
  readonly resolutionMs?: number;
  /** The worst lag of each window goes into the histogram, in milliseconds. @default 1000 */
  readonly windowMs?: number;
  /** How many windows the percentiles look back. @default 10 */
  readonly windows?: number;
}

export interface LoopLag {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export class LoopMonitor {
  readonly #resolutionMs: number;
  readonly #windowMs: number;
  readonly #maxWindows: number;
  readonly #worst = new BucketHistogram();
  readonly #timer: NodeJS.Timeout;
  #lastTick = performance.now();
  #windowStart = this.#lastTick;
  #window: number[] = [];
  #past: number[][] = [];
  #utilizationMark = performance.eventLoopUtilization();
  #utilization = 0;

  /** Measures from now on, until `stop()`. Does not keep the process alive. */
  constructor(options: LoopMonitorOptions = {}) {
    const { resolutionMs = 100, windowMs = 1000, windows = 10 } = options;
    this.#resolutionMs = resolutionMs;
    this.#windowMs = windowMs;
    this.#maxWindows = windows;
    this.#timer = setInterval(() => this.#tick(), resolutionMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The lag of the last windows and of the one under way. */
  lag(): LoopLag {
    const sorted = [...this.#past.flat(), ...this.#window].sort((a, b) => a - b);
    return { p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99), maxMs: sorted.at(-1) ?? 0 };
  }

  /** The worst of the last window and of the one under way: whoever asks once a window misses no stall. */
  recentWorstMs(): number {
    return Math.max(0, ...(this.#past.at(-1) ?? []), ...this.#window);
  }

  families(labels: MetricSample["labels"]): MetricFamily[] {
    const { p50Ms, p99Ms, maxMs } = this.lag();
    return [
      single("allcores_event_loop_lag_p50_seconds", p50Ms / 1000, labels),
      single("allcores_event_loop_lag_p99_seconds", p99Ms / 1000, labels),
      single("allcores_event_loop_lag_max_seconds", maxMs / 1000, labels),
      family(
        "allcores_event_loop_worst_lag_seconds",
        this.#worst.samples("allcores_event_loop_worst_lag_seconds", labels),
      ),
      single("allcores_event_loop_utilization_ratio", this.#utilization, labels),
    ];
  }

  #tick(): void {
    const now = performance.now();
    this.#window.push(Math.max(0, now - this.#lastTick - this.#resolutionMs));
    this.#lastTick = now;
    if (now - this.#windowStart >= this.#windowMs) this.#turnWindow(now);
  }

  #turnWindow(now: number): void {
    this.#worst.observe(Math.max(...this.#window) / 1000);
    this.#past = [...this.#past.slice(1 - this.#maxWindows), this.#window];
    this.#window = [];
    this.#windowStart = now;

    const mark = performance.eventLoopUtilization();
    this.#utilization = performance.eventLoopUtilization(mark, this.#utilizationMark).utilization;
    this.#utilizationMark = mark;
  }
}

/** The value below which a share `q` of the sorted values lies; 0 when there are none. */
function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? 0;
}
