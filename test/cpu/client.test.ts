// CPU tasks from end to end: a real cpu process with real threads, called as socket workers call it.

import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { CpuClient } from "../../src/cpu/client.ts";
import { type CpuBox, startCpuBox, TASKS } from "../helpers/cpu-box.ts";

/** How the promise ended: its value, or its error's code. */
function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch(({ code }) => code);
}

let traces: string;

beforeEach(async () => {
  traces = await mkdtemp(join(tmpdir(), "allcores-traces-"));
});
afterEach(() => rm(traces, { recursive: true, force: true }));

/** A task that runs until the returned function is called. */
function runUntilReleased(cpu: CpuClient, name: string) {
  const path = join(traces, name);
  return { result: cpu.run("waits-for-file", path), release: () => writeFile(path, "") };
}

describe("CpuClient", () => {
  let box: CpuBox;
  let cpu: CpuClient;

  beforeAll(async () => {
    box = await startCpuBox({ cpu: { threads: 2, maxThreadMemoryMb: 32, maxPayloadBytes: 1_000_000 } });
    cpu = await box.client();
  });
  afterAll(() => box.close());

  test("gives the task a copy of the payload and the caller a copy of the result", async () => {
    const payload = { bytes: Buffer.from("abc"), map: new Map([["f64", new Float64Array([0.5])]]), big: 2n ** 64n };

    const result = await cpu.run<typeof payload>("echo", payload);

    expect(result).toEqual(payload);
    expect(Buffer.isBuffer(result.bytes)).toBe(true);
  });

  test("runs a CommonJS task, and one without a payload", async () => {
    const results = [await cpu.run("commonjs", "x"), await cpu.run("echo")];

    expect(results).toEqual(["commonjs x", undefined]);
  });

  test("runs a TypeScript task where Node runs TypeScript, and says so where it does not", async () => {
    const result = await cpu.run("typed", "x").catch((error: Error) => error.message);

    const runsTypeScript = "typescript" in process.features && process.features.typescript !== false;
    expect(result).toEqual(runsTypeScript ? "typed x" : expect.stringContaining('Unknown file extension ".ts"'));
  });

  test("rejects with what the task threw as the cause", async () => {
    const error = await cpu.run("throws").catch((thrown) => thrown);

    expect(error).toMatchObject({
      code: "ALLCORES_ERR_TASK_FAILED",
      message: 'Task "throws" failed: RangeError: no such colour',
      cause: { name: "RangeError", message: "no such colour", code: "E_COLOUR" },
    });
    expect(error.cause.stack).toContain("throws.mjs:2");
  });

  test.each([
    ["throws what cannot be shown", "throws-nonsense", "ALLCORES_ERR_TASK_FAILED", "cannot be shown"],
    ["has no default export", "exports-nothing", "ALLCORES_ERR_TASK_FAILED", "no function as its default export"],
    ["outgrows the heap limit", "eats-memory", "ALLCORES_ERR_TASK_FAILED", "32 MiB (cpu.maxThreadMemoryMb)"],
    ["calls process.exit()", "exits", "ALLCORES_ERR_TASK_FAILED", "process.exit()"],
    ["calls process.abort()", "aborts-process", "ALLCORES_ERR_TASK_FAILED", "process.abort() is not supported"],
    ["returns what cannot be cloned", "returns-function", "ALLCORES_ERR_TASK_PAYLOAD", "could not be cloned"],
    ["does not exist", "nope", "ALLCORES_ERR_TASK_UNKNOWN", "echo"],
    ["leads out of the folder", "../echo", "ALLCORES_ERR_TASK_UNKNOWN", '"../echo"'],
    ["has a name longer than any", "x".repeat(1e6), "ALLCORES_ERR_TASK_UNKNOWN", "xxx..."],
  ])("a task that %s is a coded error, and the next one runs in the same process", async (_what, task, code, text) => {
    const { pid } = box.supervisor.status();

    const error = await cpu.run(task).catch((thrown) => thrown);
    const next = await cpu.run("echo", "next");

    expect(error).toMatchObject({ code, message: expect.stringContaining(text) });
    expect(next).toBe("next");
    expect(box.supervisor.status().pid).toBe(pid);
  });

  test("ends a task that is past its deadline, and its thread is free again", async () => {
    const late = [1, 2].map(() => outcome(cpu.run("spins-forever", null, { deadlineMs: 100 })));

    expect(await Promise.all(late)).toEqual(["ALLCORES_ERR_TASK_DEADLINE", "ALLCORES_ERR_TASK_DEADLINE"]);
    expect(await cpu.run("echo", "next")).toBe("next");
  });

  test("ends a task whose signal fires, and keeps the reason", async () => {
    const controller = new AbortController();
    const aborted = cpu.run("spins-forever", null, { signal: controller.signal }).catch((thrown) => thrown);

    controller.abort(new Error("the client is gone"));

    expect(await aborted).toMatchObject({
      code: "ALLCORES_ERR_TASK_ABORTED",
      cause: { message: "the client is gone" },
    });
    expect(await cpu.run("echo", "next")).toBe("next");
  });

  test("does not even send a task whose signal has fired", async () => {
    const code = await outcome(cpu.run("echo", 1, { signal: AbortSignal.abort() }));

    expect([code, cpu.pending]).toEqual(["ALLCORES_ERR_TASK_ABORTED", 0]);
  });

  test.each([
    ["payload that cannot be cloned", () => {}, "ALLCORES_ERR_TASK_PAYLOAD"],
    ["payload larger than allowed", Buffer.alloc(1_000_000), "ALLCORES_ERR_TASK_PAYLOAD"],
  ])("refuses a %s", async (_what, payload, code) => {
    expect(await outcome(cpu.run("echo", payload))).toBe(code);
  });

  test("refuses a result larger than allowed, and takes one that just fits", async () => {
    const outcomes = [cpu.run("returns-bytes", 1_000_000), cpu.run<Uint8Array>("returns-bytes", 999_000)].map(outcome);

    const [refused, taken] = await Promise.all(outcomes);

    expect(refused).toBe("ALLCORES_ERR_TASK_PAYLOAD");
    expect((taken as Uint8Array).length).toBe(999_000);
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("refuses a deadline of %s ms", async (deadlineMs) => {
    expect(await outcome(cpu.run("echo", 1, { deadlineMs }))).toBe("ALLCORES_ERR_INVALID_OPTION");
  });

  test("an app without tasks is told so", async () => {
    const client = await box.client(null);

    await expect(client.run("echo")).rejects.toMatchObject({
      code: "ALLCORES_ERR_TASK_UNKNOWN",
      message: 'There is no task "echo". The app has no tasks.',
    });
  });

  test("each caller's own folder is used", async () => {
    const other = await box.client(new URL("nested/", TASKS));

    expect(await other.run("inner")).toBe("must not run");
    expect(await outcome(cpu.run("inner"))).toBe("ALLCORES_ERR_TASK_UNKNOWN");
  });

  test.runIf(process.platform === "linux")("threads have a lower priority than socket workers", async () => {
    const niceness = await cpu.run<number>("nice-value");

    expect(niceness).toBeGreaterThan(0);
  });

  test("what a task leaves behind in its thread is reported and ends nothing", async () => {
    const count = box.errors.length;

    await cpu.run("breaks-later");
    while (box.errors.length === count) await once(box.peers, "message");

    expect(box.errors.at(-1)?.message).toContain("late");
    expect(await cpu.run("echo", "next")).toBe("next");
  });
});

describe("CpuClient, with one thread and a short queue", () => {
  let box: CpuBox;

  beforeEach(async () => {
    box = await startCpuBox({ cpu: { threads: 1, maxQueue: 2 } });
  });
  afterEach(() => box.close());

  test("is refused at once when the queue is full, by whichever worker it was filled", async () => {
    const [one, two] = [await box.client(), await box.client()];
    const running = runUntilReleased(one, "go");
    const waiting = [one.run("echo", 1), one.run("echo", 2)];
    while (box.supervisor.status().queued < 2) await once(box.peers, "message");

    const refused = outcome(two.run("echo", 3));
    const own = outcome(one.run("echo", 4));

    expect(await Promise.all([refused, own])).toEqual(["ALLCORES_ERR_POOL_SATURATED", "ALLCORES_ERR_POOL_SATURATED"]);
    await running.release();
    expect(await Promise.all([running.result, ...waiting])).toEqual(["released", 1, 2]);
    expect(await two.run("echo", 5)).toBe(5);
  });

  test("a task that waits too long leaves the queue", async () => {
    const cpu = await box.client();
    const running = runUntilReleased(cpu, "go");

    const late = await cpu.run("echo", 1, { deadlineMs: 50 }).catch((thrown) => thrown);
    await running.release();

    expect(late).toMatchObject({
      code: "ALLCORES_ERR_TASK_DEADLINE",
      message: expect.stringContaining("still waiting for a thread"),
    });
    expect(await running.result).toBe("released");
  });

  test("the tasks of a caller that is gone are ended", async () => {
    const [leaver, stayer] = [await box.client(), await box.client()];
    const lost = outcome(leaver.run("spins-forever"));
    while (box.supervisor.status().running === 0) await once(box.peers, "message");

    leaver.close();

    expect(await lost).toBe("ALLCORES_ERR_CLOSED");
    expect(await stayer.run("echo", "next")).toBe("next");
    expect(await outcome(leaver.run("echo"))).toBe("ALLCORES_ERR_CLOSED");
  });

  test("drain waits for what is pending, and no longer than it may", async () => {
    const cpu = await box.client();
    const { result, release } = runUntilReleased(cpu, "go");

    await cpu.drain(20);
    const pendingAfterDeadline = cpu.pending;
    const drained = Promise.all([cpu.drain(20_000), cpu.drain(20_000)]);
    await release();
    await drained;

    expect([pendingAfterDeadline, cpu.pending]).toEqual([1, 0]);
    expect(await result).toBe("released");
  });
});

describe("CpuClient, when the cpu process dies", () => {
  let box: CpuBox;

  beforeEach(async () => {
    box = await startCpuBox({ cpu: { threads: 1, maxQueue: 100 } });
  });
  afterEach(() => box.close());

  test("the task that was running is rejected at once and never run again; those that waited run in the next process", async () => {
    const [one, two] = [await box.client(), await box.client()];
    const trace = join(traces, "runs");

    const killer = outcome(one.run("kills-process", trace));
    const innocent = [one, two, one, two].map((client, i) => client.run("echo", i));

    expect(await killer).toBe("ALLCORES_ERR_TASK_CRASHED");
    expect(await Promise.all(innocent)).toEqual([0, 1, 2, 3]);
    expect(await readFile(trace, "utf8")).toBe("x");
    expect(box.supervisor.restarts).toBe(1);
  });

  test("many tasks that kill it, from several workers at once, are each run once and rejected", async () => {
    const clients = [await box.client(), await box.client(), await box.client()];
    const files = clients.flatMap((_client, i) => [join(traces, `a${i}`), join(traces, `b${i}`)]);

    const killers = files.map((file, i) => outcome(clients[i % 3]?.run("kills-process", file) ?? Promise.reject()));
    const innocent = clients.map((client) => client.run("echo", "fine"));

    expect(await Promise.all(killers)).toEqual(files.map(() => "ALLCORES_ERR_TASK_CRASHED"));
    expect(await Promise.all(innocent)).toEqual(["fine", "fine", "fine"]);
    expect(await Promise.all(files.map((file) => readFile(file, "utf8")))).toEqual(files.map(() => "x"));
  });

  test("a task that was sent while there is none waits for the next, within its deadline", async () => {
    const cpu = await box.client();
    await box.killCpu();

    const [late, patient] = [
      outcome(cpu.run("echo", 1, { deadlineMs: 1 })),
      outcome(cpu.run("echo", 2, { deadlineMs: 20_000 })),
    ];

    expect(await late).toBe("ALLCORES_ERR_TASK_DEADLINE");
    expect(await patient).toBe(2);
  });
});
