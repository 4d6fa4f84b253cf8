import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FlushPace, FlushTick } from "../../src/bus/flush-pace.ts";

/** Lets one frame come every `everyMs`, each flushed at once, and tells whether they came densely in the end. */
function isDenseAfter(pace: FlushPace, everyMs: number, frames: number): boolean {
  for (let i = 0; i < frames; i++) {
    pace.isDense(1000 + i * everyMs);
    pace.flushed(1);
  }
  return pace.isDense(1000 + frames * everyMs);
}

describe("FlushPace", () => {
  test.each([
    [8, 0.5, true],
    [8, 1, true],
    [8, 2, false],
    [8, 20, false],
    [2, 0.2, true],
    [2, 0.5, false],
    [0, 0.1, false],
  ])("with an interval of %d ms, a frame every %d ms: dense %s", (intervalMs, everyMs, isDense) => {
    expect(isDenseAfter(new FlushPace(new FlushTick(intervalMs)), everyMs, 1000)).toBe(isDense);
  });

  test("after a pause nothing is dense", () => {
    const pace = new FlushPace(new FlushTick(8));
    isDenseAfter(pace, 0.25, 4000);

    expect(pace.isDense(10_000)).toBe(false);
  });
});

describe("FlushTick", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  test("connections that wait write together, no sooner than an interval after the last time", () => {
    const tick = new FlushTick(8);
    const written: string[] = [];
    tick.add(() => written.push("first"));
    vi.advanceTimersByTime(1);
    const atOnce = [...written];

    tick.add(() => written.push("a"));
    vi.advanceTimersByTime(4);
    tick.add(() => written.push("b"));
    vi.advanceTimersByTime(2);
    const before = [...written];
    vi.advanceTimersByTime(2);

    expect(atOnce).toEqual(["first"]);
    expect(before).toEqual(["first"]);
    expect(written).toEqual(["first", "a", "b"]);
  });

  test("after a pause nobody waits", () => {
    const tick = new FlushTick(8);
    tick.add(() => {});
    vi.advanceTimersByTime(100);
    const write = vi.fn();

    tick.add(write);
    vi.advanceTimersByTime(0);

    expect(write).toHaveBeenCalledOnce();
  });

  test("what is added while it writes waits for the next time", () => {
    const tick = new FlushTick(8);
    const late = vi.fn();
    tick.add(() => tick.add(late));
    vi.advanceTimersByTime(1);
    const during = late.mock.calls.length;
    vi.advanceTimersByTime(8);

    expect(during).toBe(0);
    expect(late).toHaveBeenCalledOnce();
  });
});
