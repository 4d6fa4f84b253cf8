// Counts how tasks ended, and how long they waited and ran. Plain numbers that can be added up over processes.

import { type HistogramCounts, TASK_BUCKETS_MS, type TaskOutcome, type TaskTotals } from "../bus/cpu-messages.ts";

export class TaskStats {
  readonly #outcomes: Record<TaskOutcome, number> = { done: 0, failed: 0, deadline: 0, aborted: 0, refused: 0 };
  readonly #waitMs = new Histogram();
  readonly #runMs = new Histogram();

  count(outcome: TaskOutcome): void {
    this.#outcomes[outcome]++;
  }

  recordWait(ms: number): void {
    this.#waitMs.record(ms);
  }

  recordRun(ms: number): void {
    this.#runMs.record(ms);
  }

  totals(): TaskTotals {
    return { outcomes: { ...this.#outcomes }, waitMs: this.#waitMs.read(), runMs: this.#runMs.read() };
  }
}

/** The totals of two processes together. */
export function addTotals(a: TaskTotals, b: TaskTotals): TaskTotals {
  const names = Object.keys(a.outcomes) as TaskOutcome[];
  const outcomes = Object.fromEntries(names.map((name) => [name, a.outcomes[name] + b.outcomes[name]]));
  return {
    outcomes: outcomes as Record<TaskOutcome, number>,
    waitMs: addHistograms(a.waitMs, b.waitMs),
    runMs: addHistograms(a.runMs, b.runMs),
  };
}

class Histogram {
  readonly #counts: number[] = new Array(TASK_BUCKETS_MS.length + 1).fill(0);
  #sum = 0;

  record(ms: number): void {
    const bucket = TASK_BUCKETS_MS.findIndex((bound) => ms <= bound);
    const index = bucket === -1 ? TASK_BUCKETS_MS.length : bucket;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += ms;
  }

  read(): HistogramCounts {
    return { counts: [...this.#counts], sum: this.#sum };
  }
}

function addHistograms(a: HistogramCounts, b: HistogramCounts): HistogramCounts {
  return { counts: a.counts.map((count, i) => count + (b.counts[i] ?? 0)), sum: a.sum + b.sum };
}

export const NO_TASKS: TaskTotals = new TaskStats().totals();
