import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Histogram, mergeHistograms } from "../../src/bench/histogram.ts";

const QUANTILES = [0, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1];

function exactQuantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? 0;
}

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

describe("Histogram", () => {
  test("is at most one step in 128 above the exact quantile, and never below it", () => {
    const samples = fc.array(fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 2 ** 31 - 1 })), {
      minLength: 1,
      maxLength: 400,
    });

    fc.assert(
      fc.property(samples, (values) => {
        const histogram = histogramOf(values);
        const sorted = [...values].sort((a, b) => a - b);

        for (const q of QUANTILES) {
          const exact = exactQuantile(sorted, q);
          expect(histogram.quantileUs(q)).toBeGreaterThanOrEqual(exact);
          expect(histogram.quantileUs(q)).toBeLessThanOrEqual(exact * (1 + 1 / 128));
        }
      }),
    );
  });

  test("is exact below 256 µs and for the largest value", () => {
    const histogram = histogramOf([...Array.from({ length: 256 }, (_, us) => us), 1_234_567]);

    expect(histogram.quantileUs(100 / 257)).toBe(99);
    expect(histogram.quantileUs(256 / 257)).toBe(255);
    expect(histogram.quantileUs(1)).toBe(1_234_567);
  });

  test("adds up to the same as one histogram of everything", () => {
    const parts = [[1, 200, 70_000], [], [5, 5, 2 ** 31 - 1]];

    const merged = mergeHistograms(parts.map((values) => histogramOf(values).toSparse()));

    expect(merged.toSparse()).toEqual(histogramOf(parts.flat()).toSparse());
  });

  test("counts what lies outside its range at the border", () => {
    const histogram = histogramOf([-5, 2 ** 40]);

    expect(histogram.count).toBe(2);
    expect(histogram.quantileUs(0.5)).toBe(0);
    expect(histogram.quantileUs(1)).toBe(2 ** 31 - 1);
  });

  test("summarises in milliseconds, and to zeros without samples", () => {
    const summary = histogramOf([1000, 2000, 3000]).summary();
    const empty = new Histogram().summary();

    expect(summary).toMatchObject({ count: 3, mean: 2, max: 3 });
    expect(summary.p50).toBeCloseTo(2, 1);
    expect(summary.curve.at(-1)).toEqual([1, 3]);
    expect(empty).toMatchObject({ count: 0, mean: 0, p50: 0, p9999: 0, max: 0 });
  });
});
