import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Pace, WriteTicks } from "../../src/bus/write-timing.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("Pace", () => {
  test.each([0.25, 1, 4])("tells of one that comes every %d ms", (everyMs) => {
    const pace = new Pace(8);

    const told = Array.from({ length: 1000 }, (_, i) => pace.perMs(i, 1000 + i * everyMs));

    expect(told.at(-1)).toBeCloseTo(1 / everyMs);
  });

  test("after a pause nothing comes densely", () => {
    const pace = new Pace(8);
    for (let i = 0; i < 4000; i++) pace.perMs(i, 1000 + i * 0.25);

    expect(pace.perMs(4000, 10_000)).toBeLessThan(0.01);
  });

  test("does not take what was before for what came of late", () => {
    expect(new Pace(8).perMs(5_000_000, 60_000)).toBe(0);
  });

  test("measures at least as long as the interval", () => {
    const pace = new Pace(100);
    pace.perMs(0, 1000);

    expect(pace.perMs(3, 1025)).toBe(0);
    expect(pace.perMs(3, 1100)).toBeCloseTo(0.03);
  });
});

describe("WriteTicks", () => {
  /** Lets a frame come every `everyMs` for a second; how many writes that were. */
  function writesInASecond(ticks: WriteTicks, everyMs: number): number {
    const write = vi.fn(() => waiting.splice(0).length);
    const waiting: number[] = [];
    for (let at = 0; at < 1000; at += everyMs) {
      if (waiting.push(at) === 1) ticks.schedule(write);
      vi.advanceTimersByTime(everyMs);
    }
    return write.mock.calls.length;
  }

  test.each([
    [8, 0.5],
    [8, 1],
    [2, 0.2],
  ])("with an interval of %d ms, a frame every %d ms waits for others", (intervalMs, everyMs) => {
    const writes = writesInASecond(new WriteTicks(intervalMs), everyMs);

    expect(writes).toBeLessThan(1.1 * (1000 / intervalMs) + 20 / everyMs);
  });

  test.each([
    [8, 2],
    [8, 20],
    [2, 0.5],
    [0, 0.1],
  ])("with an interval of %d ms, a frame every %d ms does not", (intervalMs, everyMs) => {
    const writes = writesInASecond(new WriteTicks(intervalMs), everyMs);

    // The clock of fake timers goes by whole milliseconds.
    expect(writes).toBeGreaterThan(0.9 * (1000 / Math.max(1, everyMs)));
  });

  test("after a pause nobody waits", () => {
    const ticks = new WriteTicks(8);
    writesInASecond(ticks, 0.5);
    vi.advanceTimersByTime(100);
    const write = vi.fn(() => 1);

    ticks.schedule(write);
    vi.advanceTimersByTime(0);

    expect(write).toHaveBeenCalledOnce();
  });

  test("what comes while it writes waits for the next time", () => {
    const ticks = new WriteTicks(8);
    const late = vi.fn(() => 1);
    ticks.schedule(() => {
      ticks.schedule(late);
      expect(late).not.toHaveBeenCalled();
      return 1;
    });

    vi.advanceTimersByTime(10);

    expect(late).toHaveBeenCalledOnce();
  });
});
