import { expect, test } from "vitest";
import { FlushPace } from "../../src/bus/flush-pace.ts";

/** Lets one frame come every `everyMs`, and writes when the pace says so. Returns how long each frame waited. */
function waitsOf(pace: FlushPace, everyMs: number, frames: number): number[] {
  const waits: number[] = [];
  let waiting: number[] = [];
  let due = Number.POSITIVE_INFINITY;
  const write = (now: number): void => {
    pace.flushed(now, waiting.length);
    waits.push(...waiting.map((cameAt) => now - cameAt));
    waiting = [];
    due = Number.POSITIVE_INFINITY;
  };
  for (let i = 0; i < frames; i++) {
    const now = 1000 + i * everyMs;
    if (due <= now) write(due);
    if (waiting.length === 0) due = now + pace.waitMs(now);
    waiting.push(now);
    if (due <= now) write(now);
  }
  write(due);
  return waits;
}

test("a frame that comes alone is written at once", () => {
  const waits = waitsOf(new FlushPace(2), 5, 100);

  expect(Math.max(...waits)).toBe(0);
});

test("frames that come densely share their writes, and none waits longer than the interval", () => {
  const waits = waitsOf(new FlushPace(2), 0.25, 4000);

  const settled = waits.slice(200);
  expect(settled.filter((wait) => wait === 0).length).toBeLessThan(settled.length / 4);
  expect(Math.max(...waits)).toBeLessThanOrEqual(2);
});

test("the first frame after a pause does not wait, and dense traffic is noticed again", () => {
  const pace = new FlushPace(2);
  waitsOf(pace, 0.25, 4000);

  expect(pace.waitMs(10_000)).toBe(0);
});

test("with an interval of 0 nothing ever waits", () => {
  const waits = waitsOf(new FlushPace(0), 0.1, 1000);

  expect(Math.max(...waits)).toBe(0);
});
