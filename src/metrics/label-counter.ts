// Counts by label values, with a bound: past `maxSeries` combinations everything new is counted as "other".
// The labels come from allcores' own code; the bound holds if that should ever not be so.

import type { MetricSample } from "./family.ts";

export interface LabelCounterOptions {
  /** Most combinations of label values that are told apart. @default 100 */
  readonly maxSeries?: number;
}

const OTHER = "other";

export class LabelCounter<L extends string> {
  readonly #names: readonly L[];
  readonly #maxSeries: number;
  readonly #counts = new Map<string, { readonly values: readonly string[]; count: number }>();

  constructor(names: readonly L[], options: LabelCounterOptions = {}) {
    this.#names = names;
    this.#maxSeries = options.maxSeries ?? 100;
  }

  get total(): number {
    return this.samples().reduce((sum, { value }) => sum + value, 0);
  }

  /** Adds one to the series with these label values, in the order of the names. */
  add(...values: readonly string[]): void {
    this.addMany(1, ...values);
  }

  addMany(count: number, ...values: readonly string[]): void {
    const key = values.join("\n");
    const entry = this.#counts.get(key);
    if (entry !== undefined) entry.count += count;
    else if (this.#counts.size < this.#maxSeries) this.#counts.set(key, { values, count });
    else this.#addOther(count);
  }

  samples(labels: MetricSample["labels"] = {}): MetricSample[] {
    return [...this.#counts.values()].map(({ values, count }) => {
      const own = Object.fromEntries(this.#names.map((name, i) => [name, values[i] ?? OTHER]));
      return { labels: { ...labels, ...own }, value: count };
    });
  }

  #addOther(count: number): void {
    const values = this.#names.map(() => OTHER);
    const key = values.join("\n");
    const entry = this.#counts.get(key) ?? { values, count: 0 };
    entry.count += count;
    this.#counts.set(key, entry);
  }
}
