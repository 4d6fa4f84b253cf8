// Numbers of a running box, as Prometheus would scrape them.

import type { TestBox } from "./box.ts";

/** The sum of all series of `metric` whose labels include `labels`. */
export async function metricOf({ adminUrl }: TestBox, metric: string, labels = ""): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `));
  const ours = lines.filter((line) => line.includes(labels));
  return ours.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}
