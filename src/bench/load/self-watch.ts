// A load process watches itself: a busy loop or late messages mean that it measured itself and not the server.

import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { Histogram, type SparseHistogram } from "../histogram.ts";

export interface SelfReport {
  /** Share of time that the loop was busy in the measured time, 0 to 1. */
  readonly busy: number;
  /** How late messages left in the measured time. */
  readonly lag: SparseHistogram;
  readonly cpuUs: number;
  readonly runQueueMs: number;
}

export class SelfWatch {
  readonly #lag = new Histogram();
  #second = performance.eventLoopUtilization();
  #start = performance.eventLoopUtilization();
  #cpuStart = process.cpuUsage();
  #runQueueStart = runQueueMs();

  /** The measured time begins now. */
  begin(): void {
    this.#start = performance.eventLoopUtilization();
    this.#cpuStart = process.cpuUsage();
    this.#runQueueStart = runQueueMs();
  }

  recordLag(us: number): void {
    this.#lag.record(us);
  }

  /** Share of time that the loop was busy since the last call. */
  busySinceLast(): number {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#second);
    this.#second = now;
    return utilization;
  }

  /** The measured time ends now. */
  report(): SelfReport {
    const cpu = process.cpuUsage(this.#cpuStart);
    return {
      busy: performance.eventLoopUtilization(this.#start).utilization,
      lag: this.#lag.toSparse(),
      cpuUs: cpu.user + cpu.system,
      runQueueMs: runQueueMs() - this.#runQueueStart,
    };
  }
}

function runQueueMs(): number {
  try {
    return Number(readFileSync("/proc/self/schedstat", "utf8").split(" ")[1]) / 1e6;
  } catch {
    // Not on Linux, or not in this kernel.
    return 0;
  }
}
