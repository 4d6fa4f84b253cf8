import { describe, expect, test } from "vitest";
import { BucketHistogram } from "../../src/metrics/bucket-histogram.ts";

const NAME = "allcores_pool_run_seconds";

describe("BucketHistogram", () => {
  test("has cumulative buckets, a sum and a count", () => {
    const histogram = new BucketHistogram([0.1, 1]);

    for (const value of [0.1, 0.2, 5]) histogram.observe(value);

    expect(histogram.samples(NAME, { slot: 0 })).toEqual([
      { metricName: `${NAME}_bucket`, labels: { slot: 0, le: 0.1 }, value: 1 },
      { metricName: `${NAME}_bucket`, labels: { slot: 0, le: 1 }, value: 2 },
      { metricName: `${NAME}_bucket`, labels: { slot: 0, le: "+Inf" }, value: 3 },
      { metricName: `${NAME}_sum`, labels: { slot: 0 }, value: 5.3 },
      { metricName: `${NAME}_count`, labels: { slot: 0 }, value: 3 },
    ]);
  });
});
