import { describe, expect, test } from "vitest";
import { fitLine, median, predict, summarize } from "../../src/bench/statistics.ts";

describe("repeated runs", () => {
  test("are summed up by their median, which one bad round does not move", () => {
    expect(median([10, 11, 900])).toBe(11);
    expect(median([10, 12])).toBe(11);
    expect(median([])).toBeNaN();
  });

  test("have a spread: half the range, as a share of the median", () => {
    const summary = summarize([90, 100, 120]);

    expect(summary).toEqual({ median: 100, spread: 0.15, min: 90, max: 120, count: 3 });
  });

  test("have no spread when there is one of them, or when all are zero", () => {
    expect(summarize([7]).spread).toBe(0);
    expect(summarize([0, 0]).spread).toBe(0);
  });
});

describe("the fitted line", () => {
  test("goes through points that lie on one", () => {
    const line = fitLine([1, 2, 3, 4].map((x) => ({ x, y: 5 + 2 * x })));

    expect(line.intercept).toBeCloseTo(5);
    expect(line.slope).toBeCloseTo(2);
    expect(predict(line, 64)).toMatchObject({ value: expect.closeTo(133), low: expect.closeTo(133) });
  });

  // Worked out by hand: slope 0.9, intercept 1.3, squared residuals 1.9 over 3 degrees of freedom, t(3) = 3.182.
  test("has the textbook 95 % prediction interval", () => {
    const line = fitLine([2, 3, 5, 4, 6].map((y, index) => ({ x: index + 1, y })));

    const estimate = predict(line, 6);

    const margin = 3.182 * Math.sqrt(1.9 / 3) * Math.sqrt(1 + 1 / 5 + 9 / 10);
    expect(estimate.value).toBeCloseTo(6.7);
    expect(estimate.high - estimate.value).toBeCloseTo(margin);
    expect(estimate.value - estimate.low).toBeCloseTo(margin);
  });

  test("widens its band away from the measured points", () => {
    const line = fitLine([2, 3, 5, 4, 6].map((y, index) => ({ x: index + 1, y })));

    const width = (x: number) => predict(line, x).high - predict(line, x).low;

    expect(width(64)).toBeGreaterThan(width(3) * 5);
  });

  test("never falls: more workers do not make a message cheaper", () => {
    const line = fitLine([
      { x: 1, y: 10 },
      { x: 2, y: 8 },
    ]);

    expect(line.slope).toBe(0);
    expect(line.intercept).toBe(9);
  });

  test("does not know its band when two points are all there is", () => {
    const line = fitLine([
      { x: 1, y: 1 },
      { x: 2, y: 2 },
    ]);

    expect(predict(line, 3).low).toBeNaN();
  });
});
