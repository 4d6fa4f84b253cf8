// A Prometheus histogram in plain numbers: a value costs one short search, the samples are made when asked for.

import type { MetricSample } from "./family.ts";
import type { MetricName } from "./table.ts";

/** Upper bounds in seconds that suit a stalled event loop. */
const SECONDS_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

export class BucketHistogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** `bounds`: upper bounds of the buckets, ascending, without +Inf. */
  constructor(bounds: readonly number[] = SECONDS_BOUNDS) {
    this.#bounds = bounds;
    this.#counts = [...bounds, Number.POSITIVE_INFINITY].map(() => 0);
  }

  observe(value: number): void {
    const found = this.#bounds.findIndex((bound) => value <= bound);
    const bucket = found === -1 ? this.#bounds.length : found;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  samples(name: MetricName, labels: MetricSample["labels"] = {}): MetricSample[] {
    return histogramSamples(name, this.#bounds, this.#counts, this.#sum, labels);
  }
}

/**
 * The series of a histogram. `counts` are not cumulative, and have one more than there are bounds: what is above the
 * last one.
 */
export function histogramSamples(
  name: MetricName,
  bounds: readonly number[],
  counts: readonly number[],
  sum: number,
  labels: MetricSample["labels"] = {},
): MetricSample[] {
  let count = 0;
  const buckets = [...bounds, "+Inf"].map((le, i) => {
    count += counts[i] ?? 0;
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
