import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { atTime } from "../../src/auth/at-time.ts";

const DAY_MS = 86_400_000;

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

test("calls when the time has come, not before", () => {
  const fn = vi.fn();

  atTime(1000, fn);
  vi.advanceTimersByTime(999);
  const callsBefore = fn.mock.calls.length;
  vi.advanceTimersByTime(1);

  expect([callsBefore, fn.mock.calls.length]).toEqual([0, 1]);
});

test("calls soon when the time is past", () => {
  const fn = vi.fn();

  atTime(-1000, fn);
  vi.advanceTimersByTime(1);

  expect(fn).toHaveBeenCalledOnce();
});

// Node takes such a timeout for 1 ms.
test("waits for a time that is months away", () => {
  const fn = vi.fn();

  atTime(100 * DAY_MS, fn);
  vi.advanceTimersByTime(99 * DAY_MS);
  const callsBefore = fn.mock.calls.length;
  vi.advanceTimersByTime(DAY_MS);

  expect([callsBefore, fn.mock.calls.length]).toEqual([0, 1]);
});

test.each([1000, 100 * DAY_MS])("can be called off, also half way (%i ms)", (atMs) => {
  const fn = vi.fn();

  const cancel = atTime(atMs, fn);
  vi.advanceTimersByTime(atMs / 2);
  cancel();
  vi.advanceTimersByTime(atMs);

  expect(fn).not.toHaveBeenCalled();
});
