// One scenario of a result as charts: what a message cost, how long it took, and what happened when.

import type { Run } from "../compare.ts";
import type { Role, RunResult } from "../contract.ts";
import type { ScenarioOutcome } from "../result.ts";
import type { Bars, Chart, Series } from "./chart.ts";

export function scenarioCharts({ scenario, runs }: ScenarioOutcome): { bars: Bars[]; charts: Chart[] } {
  const shown = typicalResults(runs);
  return {
    bars: costBars(scenario, shown),
    charts: [...latencyCharts(scenario, shown), ...timelineCharts(scenario, shown)],
  };
}

/** For charts, which show one run: of each server's runs that count, the one with the middle p99. */
function typicalResults(runs: readonly Run[]): RunResult[] {
  const names = [...new Set(runs.map((run) => run.target))];
  return names.flatMap((name) => {
    const counted = runs.flatMap(({ target, voidReasons, result }) =>
      target === name && voidReasons.length === 0 && result !== undefined ? [result] : [],
    );
    return counted.sort((a, b) => a.latency.p99 - b.latency.p99)[counted.length >> 1] ?? [];
  });
}

function costBars(scenario: string, results: readonly RunResult[]): Bars[] {
  const withCost = results.filter((result) => result.cost !== undefined);
  const roles = ROLES.filter(([role]) => withCost.some((result) => result.cost?.cpuUsPerMessage[role] !== undefined));
  const rows = withCost.flatMap(({ target, cost }) => {
    return Number.isFinite(cost?.cpuUsPerMessage.total)
      ? [{ name: target, values: roles.map(([role]) => cost?.cpuUsPerMessage[role] ?? 0) }]
      : [];
  });
  if (rows.length === 0) return [];
  return [
    {
      id: `${scenario}-cost`,
      title: "Cost per message",
      caption: "CPU time of the whole server per delivered message, by role. Shorter is better.",
      unit: "CPU-µs",
      parts: roles.map(([, name]) => name),
      rows,
    },
  ];
}

const ROLES: readonly (readonly [Role, string])[] = [
  ["primary", "primary"],
  ["socketWorker", "socket workers"],
  ["cpu", "cpu process"],
  ["redis", "Redis"],
];

function latencyCharts(scenario: string, results: readonly RunResult[]): Chart[] {
  const series = results
    .filter((result) => result.latency.curve.length > 1)
    .map((result): Series => ({ name: result.target, points: percentilePoints(result.latency.curve) }));
  if (series.length === 0) return [];
  return [
    {
      id: `${scenario}-latency`,
      title: "Latency by percentile",
      caption: "From the time a message was due, so that a stalled server cannot hide. Lower is better.",
      x: { label: "percentile", scale: "nines" },
      y: { label: "milliseconds", scale: "log" },
      series,
    },
  ];
}

/** From the median on: `nines` has no place for what lies below, nor for the very last sample. */
function percentilePoints(curve: readonly (readonly [number, number])[]): Series["points"] {
  const points = curve.map(([share, y]) => ({ x: Math.round(1e6 / (1 - share)) / 1e6, y }));
  return points.filter((point) => point.x >= 2 && Number.isFinite(point.x) && point.y > 0);
}

function timelineCharts(scenario: string, results: readonly RunResult[]): Chart[] {
  const marks = results.flatMap((result) => result.marks.map((mark) => ({ x: mark.atSecond, label: mark.label })));
  const chart = (
    id: string,
    title: string,
    label: string,
    read: (point: SeriesPoint) => number | undefined,
  ): Chart => ({
    id: `${scenario}-${id}`,
    title,
    caption: "Second by second from the start of traffic, chaos marked.",
    x: { label: "seconds", scale: "linear" },
    y: { label, scale: "linear" },
    series: results.map((result) => ({ name: result.target, points: timePoints(result, read) })),
    marks,
  });
  if (!results.some((result) => result.series.length > 1)) return [];
  return [
    chart("rate", "Delivered per second", "messages per second", (point) => point.delivered),
    chart("p99", "Latency over time", "p99, milliseconds", (point) => point.p99Ms),
  ];
}

type SeriesPoint = RunResult["series"][number];

function timePoints({ series }: RunResult, read: (point: SeriesPoint) => number | undefined): Series["points"] {
  return series.flatMap((point) => {
    const y = point.second < 0 ? undefined : read(point);
    return y === undefined ? [] : [{ x: point.second, y }];
  });
}
