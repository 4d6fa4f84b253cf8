// The one bounded queue of the box: takes tasks, hands them out in order as threads become free, and ends what is late.
// What a thread is it does not know: `execute` runs a task and ends it when its signal fires.
//
//   waiting --thread is free--> started --execute settles--> done | failed
//   waiting, started --deadline, abort--> failed

import { type AllcoresError, PoolSaturatedError } from "../errors.ts";
import { type Deferred, defer } from "../lib/deadline.ts";
import type { TaskStats } from "../metrics/task-stats.ts";
import { taskAbortedError, taskDeadlineError } from "./task-errors.ts";

export interface QueueTask {
  readonly task: string;
  readonly file: string;
  readonly payload: Uint8Array<ArrayBuffer>;
  /** Time for waiting and running, in milliseconds. */
  readonly deadlineMs: number;
  /** A thread is about to run it. What is sent here is on its way before the task can do any harm. */
  readonly onStart: () => void;
}

export interface TaskQueueOptions {
  readonly threads: number;
  readonly maxQueue: number;
  readonly maxQueueBytes: number;
  readonly execute: (task: QueueTask, signal: AbortSignal) => Promise<Uint8Array>;
  readonly stats: TaskStats;
}

/** A task that was taken in. */
export interface Ticket {
  /** Rejects with a coded error. */
  readonly result: Promise<Uint8Array>;
  /** Nobody waits for it any more. */
  readonly abort: () => void;
}

interface Entry {
  readonly task: QueueTask;
  readonly bytes: number;
  readonly takenAt: number;
  readonly result: Deferred<Uint8Array>;
  readonly thread: AbortController;
  isStarted: boolean;
  timer: NodeJS.Timeout | undefined;
}

export class TaskQueue {
  readonly #options: TaskQueueOptions;
  readonly #waiting = new Set<Entry>();
  #waitingBytes = 0;
  #running = 0;

  constructor(options: TaskQueueOptions) {
    this.#options = options;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  get running(): number {
    return this.#running;
  }

  /** Takes a task in, or throws `PoolSaturatedError` at once. */
  submit(task: QueueTask): Ticket {
    const { threads, maxQueue, maxQueueBytes, stats } = this.#options;
    const bytes = task.payload.byteLength;
    const mustWait = this.#running >= threads;
    if (mustWait && (this.#waiting.size >= maxQueue || this.#waitingBytes + bytes > maxQueueBytes)) {
      stats.count("refused");
      throw new PoolSaturatedError(this.#waiting.size);
    }

    const entry: Entry = {
      task,
      bytes,
      takenAt: performance.now(),
      result: defer(),
      thread: new AbortController(),
      isStarted: false,
      timer: undefined,
    };
    entry.timer = setTimeout(() => this.#expire(entry), task.deadlineMs);
    this.#waiting.add(entry);
    this.#waitingBytes += bytes;
    this.#startNext();
    return { result: entry.result.promise, abort: () => this.#end(entry, "aborted", taskAbortedError(task.task)) };
  }

  #startNext(): void {
    for (const entry of this.#waiting) {
      if (this.#running >= this.#options.threads) return;
      this.#leaveQueue(entry);
      this.#start(entry);
    }
  }

  #start(entry: Entry): void {
    this.#running++;
    entry.isStarted = true;
    this.#options.stats.recordWait(performance.now() - entry.takenAt);
    entry.task.onStart();
    // The bus writes in a setImmediate too, one that was asked for earlier: a task that ends this process at once
    // is known to have started all the same.
    setImmediate(() => void this.#execute(entry));
  }

  async #execute(entry: Entry): Promise<void> {
    const { execute, stats } = this.#options;
    const startedAt = performance.now();
    try {
      const result = await execute(entry.task, entry.thread.signal);
      this.#settle(entry, () => {
        stats.count("done");
        entry.result.resolve(result);
      });
    } catch (error) {
      this.#end(entry, "failed", error as AllcoresError);
    }
    stats.recordRun(performance.now() - startedAt);
    this.#running--;
    this.#startNext();
  }

  #expire(entry: Entry): void {
    const { task, deadlineMs } = entry.task;
    this.#end(entry, "deadline", taskDeadlineError(task, deadlineMs, entry.isStarted));
  }

  #end(entry: Entry, outcome: "failed" | "deadline" | "aborted", error: AllcoresError): void {
    this.#settle(entry, () => {
      this.#options.stats.count(outcome);
      entry.result.reject(error);
      if (entry.isStarted) entry.thread.abort();
      else this.#leaveQueue(entry);
    });
  }

  /** The first outcome counts, later ones are its consequences. */
  #settle(entry: Entry, apply: () => void): void {
    if (entry.timer === undefined) return;
    clearTimeout(entry.timer);
    entry.timer = undefined;
    apply();
  }

  #leaveQueue(entry: Entry): void {
    if (this.#waiting.delete(entry)) this.#waitingBytes -= entry.bytes;
  }
}
