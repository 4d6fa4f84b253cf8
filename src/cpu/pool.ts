// The threads: the only file that knows piscina, and the place where its errors get their codes.
// It queues nothing: task-queue.ts hands it no more tasks than there are threads.

import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import { toError } from "../errors.ts";
import { describeThrown, taskFailedError, taskPayloadError } from "./task-errors.ts";
import type { ThreadAnswer, ThreadJob } from "./thread.ts";

/** Threads that had nothing to do for so long are ended. (piscina's default, 0, starts and ends them all the time.) */
const IDLE_TIMEOUT_MS = 60_000;

/** Socket workers run at the normal priority: heavy work gets what they leave. */
const NICE_INCREMENT = 10;

export interface ThreadPoolOptions {
  readonly threads: number;
  /** Heap limit of a thread, in MiB. */
  readonly maxThreadMemoryMb: number;
  readonly maxResultBytes: number;
  /** A thread broke while it ran no task, for instance in a timer that a task left behind. */
  readonly onError: (error: Error) => void;
}

export interface PoolTask {
  readonly task: string;
  readonly file: string;
  /** The only view of its memory, which moves to the thread. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

export class ThreadPool {
  readonly #options: ThreadPoolOptions;
  readonly #piscina: Piscina<ThreadJob, ThreadAnswer>;

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
    this.#piscina = new Piscina({
      filename: fileURLToPath(new URL("./thread.js", import.meta.url)),
      minThreads: 1,
      maxThreads: options.threads,
      idleTimeout: IDLE_TIMEOUT_MS,
      niceIncrement: NICE_INCREMENT,
      // With atomics a thread sleeps between tasks and what a task left behind, a timer say, breaks in on the next one.
      atomics: "disabled",
      resourceLimits: { maxOldGenerationSizeMb: options.maxThreadMemoryMb },
      recordTiming: false,
    });
    this.#piscina.on("error", options.onError);
  }

  /** Runs a task on a free thread. When `signal` fires, the thread is ended, whatever it does. */
  async run({ task, file, payload }: PoolTask, signal: AbortSignal): Promise<Uint8Array> {
    const { maxResultBytes } = this.#options;
    const job = { task, file, payload, maxResultBytes };
    const answer = await this.#piscina.run(job, { signal, transferList: [payload.buffer] }).catch((thrown) => {
      throw this.#explain(task, toError(thrown));
    });
    if ("refused" in answer) throw taskPayloadError(answer.refused);
    if ("thrown" in answer)
      throw taskFailedError(task, `${answer.thrown.name}: ${answer.thrown.message}`, answer.thrown);
    return answer.result;
  }

  /** The task itself never rejects, so this is about its thread. */
  #explain(task: string, error: NodeJS.ErrnoException): Error {
    const cause = describeThrown(error);
    if (error.code === "ERR_WORKER_OUT_OF_MEMORY") {
      const limit = `${this.#options.maxThreadMemoryMb} MiB (cpu.maxThreadMemoryMb)`;
      return taskFailedError(task, `it outgrew the heap limit of its thread, ${limit}.`, cause);
    }
    if (error.message.startsWith("worker exited")) {
      return taskFailedError(task, `it ended its thread with process.exit().`, cause);
    }
    return taskFailedError(task, `it broke its thread with ${cause.name}: ${cause.message}`, cause);
  }
}
