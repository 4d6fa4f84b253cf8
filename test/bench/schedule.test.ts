import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Schedule } from "../../src/bench/load/schedule.ts";

function takeAll(schedule: Schedule, nowUs: number): number[] {
  const due: number[] = [];
  for (let dueUs = schedule.take(nowUs); dueUs !== undefined; dueUs = schedule.take(nowUs)) due.push(dueUs);
  return due;
}

describe("Schedule", () => {
  test("gives what is due before now, and each message once", () => {
    const schedule = new Schedule(1000, 0, 1, 5000);

    expect(takeAll(schedule, 5000)).toEqual([]);
    expect(takeAll(schedule, 7000)).toEqual([5000, 6000]);
    expect(takeAll(schedule, 7001)).toEqual([7000]);
  });

  test("keeps the due times of messages that it was asked for too late", () => {
    const schedule = new Schedule(100, 0, 1, 0);

    expect(takeAll(schedule, 30_001)).toEqual([0, 10_000, 20_000, 30_000]);
  });

  test("has exactly `rate` messages in every second, however many processes share them", () => {
    const rates = fc.integer({ min: 1, max: 20_000 });
    const shares = fc.integer({ min: 1, max: 5 });

    fc.assert(
      fc.property(rates, shares, fc.integer({ min: 0, max: 1e6 }), (rate, count, startSecond) => {
        const startUs = startSecond * 1e6;
        const parts = Array.from({ length: count }, (_, share) => new Schedule(rate, share, count, startUs));

        const due = parts.flatMap((part) => takeAll(part, startUs + 1e6));

        expect(due).toHaveLength(rate);
      }),
      { numRuns: 30 },
    );
  });
});
