// A metric with its values at one moment, in the shape of prom-client's `getMetricsAsJSON()`.
// allcores counts in plain integers and makes these when it is asked: nothing here runs per message.

import { METRIC_TABLE, type MetricName, type MetricType } from "./table.ts";

export interface MetricSample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** The name of the series where it is not the family's: `x_bucket`, `x_sum`, `x_count`. */
  readonly metricName?: string;
}

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  /** How the values of several processes become one where their labels are the same. */
  readonly aggregator: Aggregator;
  readonly values: readonly MetricSample[];
}

/** All metrics of one process at one moment. */
export type Snapshot = readonly MetricFamily[];

export const AGGREGATORS = ["sum", "first", "min", "max", "average", "omit"] as const;
export type Aggregator = (typeof AGGREGATORS)[number];

/** Labels as they are told apart: two samples with the same key are the same series. */
export function seriesKey({ metricName = "", labels }: MetricSample): string {
  return JSON.stringify([metricName, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

export function family(name: MetricName, values: readonly MetricSample[]): MetricFamily {
  return { name, aggregator: "sum", ...METRIC_TABLE[name], values };
}

/** A family with one value. */
export function single(name: MetricName, value: number, labels: MetricSample["labels"] = {}): MetricFamily {
  return family(name, [{ labels, value }]);
}

/** A gauge that is 1 for the current state and 0 for the others, so that no query has to know the list. */
export function stateSamples<S extends string>(
  states: readonly S[],
  current: S,
  labels: MetricSample["labels"] = {},
): MetricSample[] {
  return states.map((state) => ({ labels: { ...labels, state }, value: state === current ? 1 : 0 }));
}

/** Whether a series only grows, and so has to outlive the process that counted it. */
export function isCumulative({ type, aggregator }: MetricFamily, { metricName = "" }: MetricSample): boolean {
  if (aggregator !== "sum") return false;
  if (type === "summary") return metricName.endsWith("_sum") || metricName.endsWith("_count");
  return type === "counter" || type === "histogram";
}
