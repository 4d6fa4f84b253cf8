// What the page remembers: the numbers of the last two minutes, made from one status report after the other.

import type { BoxStatus, TrafficTotals } from "../../primary/status.ts";

/** One moment. Rates are per second, since the report before; `null` where there was none. */
export interface Moment {
  readonly connections: number;
  readonly messagesIn: number | null;
  readonly messagesOut: number | null;
  readonly bytesIn: number | null;
  readonly bytesOut: number | null;
  readonly errors: number | null;
  /** The slowest worker's. */
  readonly loopLagMs: number;
  readonly memoryBytes: number;
  readonly poolRunning: number;
  readonly poolQueued: number;
  /** By slot. */
  readonly workerLagMs: ReadonlyMap<number, number>;
}

interface Report {
  readonly status: BoxStatus;
  readonly atMs: number;
}

const MAX_MOMENTS = 120;

export class History {
  #moments: Moment[] = [];
  #last: Report | undefined;

  /** `atMs`: when the report arrived. A box that was started anew starts a new history. */
  add(status: BoxStatus, atMs: number): Moment {
    const isSameBox = this.#last?.status.startedAt === status.startedAt && this.#last.status.pid === status.pid;
    if (!isSameBox) {
      this.#moments = [];
      this.#last = undefined;
    }
    const moment = momentOf({ status, atMs }, this.#last);
    this.#last = { status, atMs };
    this.#moments = [...this.#moments.slice(1 - MAX_MOMENTS), moment];
    return moment;
  }

  /** The last two minutes of one number, oldest first, from the first moment at which it was known. */
  series(read: (moment: Moment) => number | null | undefined): number[] {
    return this.#moments.map(read).filter((value) => value !== null && value !== undefined);
  }
}

function momentOf({ status, atMs }: Report, before: Report | undefined): Moment {
  const { workers, cpu, traffic } = status;
  const rate = (name: keyof TrafficTotals): number | null => {
    if (before === undefined || atMs <= before.atMs) return null;
    return (Math.max(0, traffic[name] - before.status.traffic[name]) * 1000) / (atMs - before.atMs);
  };
  return {
    connections: sum(workers.map(({ connections }) => connections)),
    messagesIn: rate("messagesIn"),
    messagesOut: rate("messagesOut"),
    bytesIn: rate("bytesIn"),
    bytesOut: rate("bytesOut"),
    errors: rate("errors"),
    loopLagMs: Math.max(0, ...workers.map(({ loopLagMs }) => loopLagMs)),
    memoryBytes: sum(workers.map(({ memoryBytes }) => memoryBytes)),
    poolRunning: cpu.running,
    poolQueued: cpu.queued,
    workerLagMs: new Map(workers.map(({ slot, loopLagMs }) => [slot, loopLagMs])),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
