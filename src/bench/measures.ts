// The figures of one run that are compared and printed. A figure that a run does not have is left out, never shown as 0.

import type { RunResult } from "./contract.ts";

export interface Measure {
  readonly name: string;
  /** For people, with the unit. */
  readonly label: string;
  readonly better: "lower" | "higher" | "neither";
  readonly digits: number;
  /** A figure that only its scenario has. */
  readonly isOwn?: true;
  /** It counts also in a run that is void for what the server did. */
  readonly despiteLoss?: true;
  readonly read: (result: RunResult) => number | undefined;
}

const latencyMs = (name: "p50" | "p99" | "p999", label: string): Measure => ({
  name,
  label,
  better: "lower",
  digits: 1,
  read: ({ latency }) => (latency.count > 0 ? latency[name] : undefined),
});

/** In the order of the table's columns. */
const COMMON: readonly Measure[] = [
  {
    name: "deliveredRate",
    label: "delivered/s",
    better: "higher",
    digits: 0,
    read: ({ rates, counts }) => (counts.expected > 0 ? rates.delivered : undefined),
  },
  latencyMs("p50", "p50 ms"),
  latencyMs("p99", "p99 ms"),
  latencyMs("p999", "p99.9 ms"),
  {
    name: "cpuUsPerMessage",
    label: "CPU-µs/message",
    better: "lower",
    digits: 1,
    read: ({ cost }) => perMessage(cost?.cpuUsPerMessage.total),
  },
  {
    name: "primaryUsPerMessage",
    label: "of which primary",
    better: "lower",
    digits: 2,
    read: ({ cost }) => perMessage(cost?.cpuUsPerMessage.primary),
  },
  {
    name: "syscallsPerMessage",
    label: "syscalls/message",
    better: "lower",
    digits: 2,
    read: ({ cost }) => perMessage(cost?.syscallsPerMessage.total),
  },
  {
    name: "rssMb",
    label: "memory MB",
    better: "lower",
    digits: 0,
    read: ({ cost }) => (cost === undefined ? undefined : cost.rssBytes.total / 1e6),
  },
];

/** The common measures that any of the runs has, then the figures that only this scenario has. */
export function measuresOf(results: readonly RunResult[]): Measure[] {
  const own = new Map(results.flatMap((result) => result.figures).map((figure) => [figure.name, figure]));
  const figures = [...own.values()].map(({ name, label, unit, better, despiteLoss }): Measure => {
    const read = (result: RunResult) => finite(result.figures.find((figure) => figure.name === name)?.value);
    const isCount = unit === "";
    return {
      name,
      label: isCount ? label : `${label}, ${unit}`,
      better,
      digits: isCount ? 0 : 1,
      isOwn: true,
      ...(despiteLoss === true && { despiteLoss }),
      read,
    };
  });
  return [...COMMON, ...figures].filter((measure) => results.some((result) => measure.read(result) !== undefined));
}

/** A run that delivered no message has no cost per message. */
function perMessage(cost: number | undefined): number | undefined {
  return cost === 0 ? undefined : finite(cost);
}

function finite(value: number | undefined): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
