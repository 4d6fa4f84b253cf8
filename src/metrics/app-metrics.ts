// The metrics of the app's own, taken from its prom-client registry, which is foreign code: it may throw, never answer,
// or hold more than fits. Then allcores' own numbers go out without it.

import type { Registry } from "prom-client";
import { withDeadline } from "../lib/deadline.ts";
import { AGGREGATORS, type MetricFamily, type MetricSample, type Snapshot } from "./family.ts";
import { OWN_PREFIX } from "./table.ts";

/** Longest time that the app's `collect()` functions may take, all together. */
const COLLECT_DEADLINE_MS = 200;
/** Most series of one worker: some 100 times what a busy app has. */
const MAX_SERIES = 20_000;

/** Rejects with what went wrong when the app's metrics cannot be had. */
export async function takeAppMetrics(registry: Registry): Promise<Snapshot> {
  const metrics = await withDeadline(registry.getMetricsAsJSON(), COLLECT_DEADLINE_MS, "Collecting the app's metrics");
  const families = metrics.filter(({ name }) => !isReserved(name)).map(toFamily);
  const series = families.reduce((sum, { values }) => sum + values.length, 0);
  if (series > MAX_SERIES) throw new RangeError(`The app has ${series} series; at most ${MAX_SERIES} are reported.`);
  return families;
}

/** Names of the app's metrics that are not shown, because they would be mixed up with allcores' own. */
export function reservedNames(registry: Registry): string[] {
  return registry
    .getMetricsAsArray()
    .map(({ name }) => name)
    .filter(isReserved);
}

function isReserved(name: string): boolean {
  return name.startsWith(OWN_PREFIX);
}

/** Copies what is known to be plain data: whatever else a registry's metric drags along stays here. */
function toFamily(metric: object): MetricFamily {
  const { name, help, type, aggregator, values = [] } = metric as MetricFamily;
  return {
    name,
    help,
    type,
    aggregator: AGGREGATORS.includes(aggregator) ? aggregator : "sum",
    values: values.map(toSample),
  };
}

function toSample({ labels, value, metricName }: MetricSample): MetricSample {
  const text = Object.fromEntries(Object.entries(labels).map(([name, label]) => [name, String(label)]));
  return { labels: text, value: Number(value), ...(metricName !== undefined && { metricName }) };
}
