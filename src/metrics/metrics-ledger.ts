// The latest metrics of every process, and the totals of those that are gone, so that no counter of the box goes down.
// Plain bookkeeping: when to ask and how to print is box-metrics.ts.

import { isCumulative, type MetricFamily, type MetricSample, type Snapshot, seriesKey } from "./family.ts";
import type { MetricName } from "./table.ts";

interface RetiredFamily {
  readonly family: MetricFamily;
  readonly samples: Map<string, MetricSample>;
}

interface Report {
  readonly snapshot: Snapshot;
  readonly atMs: number;
}

/** `K` names a process; two processes never have the same key. */
export class MetricsLedger<K> {
  readonly #live = new Map<K, Report>();
  readonly #retired = new Map<string, RetiredFamily>();

  /** `atMs`: when it arrived, on any clock that only goes forward. */
  record(key: K, snapshot: Snapshot, atMs: number): void {
    this.#live.set(key, { snapshot, atMs });
  }

  /** The process is gone: its gauges vanish, its totals stay. */
  retire(key: K): void {
    const { snapshot = [] } = this.#live.get(key) ?? {};
    this.#live.delete(key);
    for (const family of snapshot) this.#keepTotals(family);
  }

  /** When the latest report of a process arrived. */
  reportedAtMs(key: K): number | undefined {
    return this.#live.get(key)?.atMs;
  }

  /** What is to be shown: the totals of the gone first, then every live process. */
  snapshots(): Snapshot[] {
    const retired = [...this.#retired.values()].map(({ family, samples }) => ({
      ...family,
      values: [...samples.values()],
    }));
    return [retired, ...[...this.#live.values()].map(({ snapshot }) => snapshot)];
  }

  /** The sum over all series and processes, the gone included, of a metric of allcores' own. */
  total(name: MetricName): number {
    return this.snapshots().reduce((sum, snapshot) => sum + totalOf(snapshot, name), 0);
  }

  /** The same of one live process. */
  totalOf(key: K, name: MetricName): number {
    return totalOf(this.#live.get(key)?.snapshot ?? [], name);
  }

  #keepTotals(family: MetricFamily): void {
    for (const sample of family.values) {
      if (!isCumulative(family, sample)) continue;
      const kept = this.#retired.get(family.name) ?? { family, samples: new Map<string, MetricSample>() };
      const key = seriesKey(sample);
      const before = kept.samples.get(key)?.value ?? 0;
      kept.samples.set(key, { ...sample, value: before + sample.value });
      this.#retired.set(family.name, kept);
    }
  }
}

function totalOf(snapshot: Snapshot, name: MetricName): number {
  const values = snapshot.find((family) => family.name === name)?.values ?? [];
  return values.reduce((sum, { value }) => sum + value, 0);
}
