// Many snapshots in, one page of Prometheus' text format (0.0.4) out.

import { AggregatorRegistry } from "prom-client";
import type { Snapshot } from "./family.ts";
import type { MetricType } from "./table.ts";

export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Merges the snapshots. Where they disagree about the type of a metric, the first one that names it is right. */
export function renderSnapshots(snapshots: readonly Snapshot[]): Promise<string> {
  const types = new Map<string, MetricType>();
  const agreed = snapshots.map((snapshot) =>
    snapshot.filter(({ name, type }) => {
      const first = types.get(name) ?? type;
      types.set(name, first);
      return first === type;
    }),
  );
  return AggregatorRegistry.aggregate(agreed.map((snapshot) => [...snapshot])).metrics();
}
