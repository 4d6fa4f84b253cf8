import { describe, expect, test } from "vitest";
import { TASK_BUCKETS_MS } from "../../src/bus/cpu-messages.ts";
import { addTotals, NO_TASKS, TaskStats } from "../../src/metrics/task-stats.ts";

describe("TaskStats", () => {
  test("puts a time into the first bucket that holds it, and what is longer than all at the end", () => {
    const stats = new TaskStats();

    for (const ms of [0, 1, 1.5, 30_000, 30_001]) stats.recordRun(ms);

    const { counts, sum } = stats.totals().runMs;
    expect([counts[0], counts[1], counts.at(-2), counts.at(-1)]).toEqual([2, 1, 1, 1]);
    expect(counts).toHaveLength(TASK_BUCKETS_MS.length + 1);
    expect(sum).toBe(60_003.5);
  });

  test("totals of several processes add up", () => {
    const [first, second] = [new TaskStats(), new TaskStats()];
    first.count("done");
    first.recordWait(3);
    second.count("done");
    second.count("failed");
    second.recordWait(4);

    const totals = addTotals(addTotals(NO_TASKS, first.totals()), second.totals());

    expect(totals.outcomes).toEqual({ done: 2, failed: 1, deadline: 0, aborted: 0, refused: 0 });
    expect(totals.waitMs).toMatchObject({ sum: 7 });
    expect(totals.waitMs.counts[1]).toBe(2);
  });
});
