import { afterEach, describe, expect, test, vi } from "vitest";
import { type QueueTask, TaskQueue } from "../../src/cpu/task-queue.ts";
import { AllcoresError } from "../../src/errors.ts";
import { type Deferred, defer } from "../../src/lib/deadline.ts";
import { TaskStats } from "../../src/metrics/task-stats.ts";

interface Run {
  readonly task: string;
  readonly signal: AbortSignal;
  readonly result: Deferred<Uint8Array>;
}

/** A queue whose threads are in the hands of the test. */
class Bench {
  readonly stats = new TaskStats();
  readonly log: string[] = [];
  readonly runs: Run[] = [];
  readonly queue: TaskQueue;
  #onRun = defer<void>();

  constructor({ threads = 1, maxQueue = 10, maxQueueBytes = 1000 } = {}) {
    this.queue = new TaskQueue({
      threads,
      maxQueue,
      maxQueueBytes,
      stats: this.stats,
      execute: ({ task }, signal) => this.#execute(task, signal),
    });
  }

  submit(task: string, overrides: Partial<QueueTask> = {}) {
    const payload = new Uint8Array(1);
    const onStart = () => this.log.push(`start ${task}`);
    const ticket = this.queue.submit({ task, file: task, payload, deadlineMs: 10_000, onStart, ...overrides });
    // Most tests look at one ticket and leave the others to the end.
    ticket.result.catch(() => {});
    return ticket;
  }

  /** Resolves to the next run that begins, or to the one at `index` if it has begun. */
  async run(index: number): Promise<Run> {
    for (;;) {
      const run = this.runs[index];
      if (run !== undefined) return run;
      await this.#onRun.promise;
    }
  }

  #execute(task: string, signal: AbortSignal): Promise<Uint8Array> {
    const run: Run = { task, signal, result: defer() };
    signal.addEventListener("abort", () => run.result.reject(new Error("thread ended")));
    this.log.push(`run ${task}`);
    this.runs.push(run);
    this.#onRun.resolve();
    this.#onRun = defer();
    return run.result.promise;
  }
}

const RESULT = Uint8Array.of(7);

afterEach(() => vi.useRealTimers());

describe("TaskQueue", () => {
  test("runs as many tasks as there are threads, and the others in order as threads become free", async () => {
    const bench = new Bench({ threads: 2 });
    const results = ["a", "b", "c", "d"].map((task) => bench.submit(task).result);

    const atFirst = [bench.queue.running, bench.queue.queued];
    (await bench.run(1)).result.resolve(RESULT);
    (await bench.run(2)).result.resolve(RESULT);
    (await bench.run(3)).result.resolve(RESULT);
    (await bench.run(0)).result.resolve(RESULT);
    await Promise.all(results);

    expect(atFirst).toEqual([2, 2]);
    expect(bench.runs.map(({ task }) => task)).toEqual(["a", "b", "c", "d"]);
    expect([bench.queue.running, bench.queue.queued]).toEqual([0, 0]);
    expect(bench.stats.totals().outcomes.done).toBe(4);
  });

  test("tells that a task starts one turn before it runs", async () => {
    const bench = new Bench();

    bench.submit("a");
    const inTheSameTurn = [...bench.log];
    await bench.run(0);

    expect(inTheSameTurn).toEqual(["start a"]);
    expect(bench.log).toEqual(["start a", "run a"]);
  });

  test("refuses a task at once when all threads are busy and the queue is full", async () => {
    const bench = new Bench({ maxQueue: 1 });
    bench.submit("a");
    bench.submit("b");

    const submit = () => bench.submit("c");

    expect(submit).toThrow(expect.objectContaining({ code: "ALLCORES_ERR_POOL_SATURATED", queued: 1 }));
    expect(bench.stats.totals().outcomes.refused).toBe(1);
  });

  test("without a queue a task is taken when a thread is free", () => {
    const bench = new Bench({ maxQueue: 0 });

    bench.submit("a");

    expect(() => bench.submit("b")).toThrow(expect.objectContaining({ code: "ALLCORES_ERR_POOL_SATURATED" }));
  });

  test("refuses a task whose payload is too much for the bytes that may wait", () => {
    const bench = new Bench({ maxQueueBytes: 100 });
    bench.submit("a");
    bench.submit("b", { payload: new Uint8Array(90) });

    const submit = () => bench.submit("c", { payload: new Uint8Array(11) });

    expect(submit).toThrow(expect.objectContaining({ code: "ALLCORES_ERR_POOL_SATURATED" }));
    expect(() => bench.submit("d", { payload: new Uint8Array(10) })).not.toThrow();
  });

  test("a task that is late while it waits leaves the queue", async () => {
    const bench = new Bench();
    bench.submit("a");
    await bench.run(0);
    const late = bench.submit("b", { deadlineMs: 1 });

    await expect(late.result).rejects.toMatchObject({ code: "ALLCORES_ERR_TASK_DEADLINE" });

    expect(bench.queue.queued).toBe(0);
    expect(bench.runs).toHaveLength(1);
  });

  test("a task that is late while it runs loses its thread, and the next task gets one", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const bench = new Bench();
    const late = bench.submit("a", { deadlineMs: 1 });
    bench.submit("b");
    await bench.run(0);

    vi.advanceTimersByTime(1);

    await expect(late.result).rejects.toMatchObject({ code: "ALLCORES_ERR_TASK_DEADLINE" });
    const next = await bench.run(1);

    expect(bench.runs[0]?.signal.aborted).toBe(true);
    expect(next.task).toBe("b");
    expect(bench.stats.totals().outcomes).toMatchObject({ deadline: 1, failed: 0 });
  });

  test.each([
    ["waits", 1],
    ["runs", 0],
  ])("a task that is aborted while it %s is rejected as aborted", async (_stage, index) => {
    const bench = new Bench();
    const tickets = ["a", "b"].map((task) => bench.submit(task));
    await bench.run(0);

    tickets[index]?.abort();

    await expect(tickets[index]?.result).rejects.toMatchObject({ code: "ALLCORES_ERR_TASK_ABORTED" });
    expect(bench.queue.queued).toBe(0);
  });

  test("an error of the task reaches its caller and frees the thread", async () => {
    const bench = new Bench();
    const failed = bench.submit("a");
    bench.submit("b");

    (await bench.run(0)).result.reject(new AllcoresError("ALLCORES_ERR_TASK_FAILED", "no"));

    await expect(failed.result).rejects.toMatchObject({ code: "ALLCORES_ERR_TASK_FAILED" });
    expect((await bench.run(1)).task).toBe("b");
  });

  test("aborting what is done changes nothing", async () => {
    const bench = new Bench();
    const ticket = bench.submit("a");
    (await bench.run(0)).result.resolve(RESULT);
    const result = await ticket.result;

    ticket.abort();

    expect(result).toBe(RESULT);
    expect(bench.stats.totals().outcomes).toMatchObject({ done: 1, aborted: 0 });
  });
});
