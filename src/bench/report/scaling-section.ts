// What `bench scaling` found, as tables and charts: the points that were measured, and the model that was drawn from them.

import type { ScalingOutcome } from "../result.ts";
import type { ScalingModel, ScalingPoint } from "../scaling.ts";
import { type Estimate, summarize } from "../statistics.ts";
import type { Chart, Series } from "./chart.ts";
import { formatNumber, formatShort, formatSummary } from "./format.ts";
import type { Section } from "./html.ts";
import type { Table } from "./table.ts";

export function scalingSection(outcome: ScalingOutcome): Section {
  return {
    title: "scaling",
    text: [`Measured: what a message costs with more workers, at the same rate. ${outcome.law}`],
    tables: [measuredTable(outcome), ...outcome.models.map(({ target, model }) => capacityTable(target, model))],
    bars: [],
    charts: [costChart(outcome), ...outcome.models.map(({ target, model }) => capacityChart(target, model))],
  };
}

function measuredTable({ points, runs, rounds }: ScalingOutcome): Table {
  return {
    title: `measured: CPU-µs of the whole server per delivered message (median of ${rounds} rounds)`,
    columns: [
      "workers",
      ...targetsOf(points).flatMap((target) => [target, `${target}: primary`, `${target}: primary share`]),
    ],
    rows: workerCounts(points).map((workers) => [
      String(workers),
      ...targetsOf(points).flatMap((target) => measuredCells(pointsAt(points, target, workers))),
    ]),
    notes: targetsOf(runs).flatMap((target) =>
      workerCounts(runs).flatMap((workers) => voidNote(runs, target, workers)),
    ),
  };
}

function voidNote(all: ScalingOutcome["runs"], target: string, workers: number): string[] {
  const runs = all.filter((run) => run.target === target && run.workers === workers);
  const voids = runs.filter((run) => run.voidReasons.length > 0);
  const reasons = [...new Set(voids.flatMap((run) => run.voidReasons))].join("; ");
  const workersText = workers === 1 ? "1 worker" : `${workers} workers`;
  return voids.length === 0
    ? []
    : [`${target}, ${workersText}: ${voids.length} of ${runs.length} runs void: ${reasons}`];
}

function measuredCells(points: readonly ScalingPoint[]): string[] {
  if (points.length === 0) return ["void", "", ""];
  const share = summarize(points.map((point) => (100 * point.primaryUs) / point.costUs));
  return [
    formatSummary(summarize(points.map((point) => point.costUs)), 1),
    formatNumber(summarize(points.map((point) => point.primaryUs)).median, 2),
    `${formatNumber(share.median, 0)} %`,
  ];
}

function capacityTable(target: string, model: ScalingModel): Table {
  return {
    title: `MODEL: delivered messages a second of ${target}, by cores (not measured; in brackets the 95 % band)`,
    columns: ["cores", "messages/s", "band", "the floor", "full first"],
    rows: model.capacity.map(({ cores, perSecond, floorPerSecond, boundBy }) => [
      String(cores),
      formatShort(perSecond.value),
      `[${bandText(perSecond)}]`,
      formatShort(floorPerSecond),
      boundBy,
    ]),
    notes: [
      `overhead over the floor R(N) = ${formatNumber(model.overhead.intercept, 3)} + ${formatNumber(model.overhead.slope, 4)} (N-1), ` +
        `primary P(N) = ${formatNumber(model.primary.intercept, 3)} + ${formatNumber(model.primary.slope, 4)} (N-1) µs, ` +
        `one plain process d1 = ${formatNumber(model.onePlainProcessUs, 2)} µs per message`,
    ],
  };
}

function bandText({ low, high }: Estimate): string {
  return `${formatShort(low)} to ${formatShort(high)}`;
}

/** The curve of the README: cost per message against workers. */
export const COST_CHART_ID = "scaling-cost";

function costChart({ points }: ScalingOutcome): Chart {
  return {
    id: COST_CHART_ID,
    title: "Cost per delivered message",
    caption:
      "CPU time of the whole server per delivered message at the same rate, by number of workers. Lower is better.",
    x: { label: "workers", scale: "log" },
    y: { label: "CPU-µs per delivered message", scale: "linear" },
    series: targetsOf(points).map((target): Series => ({ name: target, points: costPoints(points, target) })),
  };
}

function costPoints(points: readonly ScalingPoint[], target: string): Series["points"] {
  return workerCounts(points).flatMap((workers) => {
    const costs = pointsAt(points, target, workers).map((point) => point.costUs);
    if (costs.length === 0) return [];
    const { median, min, max } = summarize(costs);
    return [{ x: workers, y: median, low: min, high: max }];
  });
}

function capacityChart(target: string, model: ScalingModel): Chart {
  return {
    id: `scaling-capacity-${target}`,
    title: `Capacity of ${target}: a model`,
    caption: "Delivered messages a second by cores, calculated from the measured cost, with the band of the fit.",
    x: { label: "cores", scale: "log" },
    y: { label: "messages per second", scale: "linear" },
    series: [
      {
        name: target,
        isModel: true,
        points: model.capacity.map(({ cores, perSecond }) => capacityPoint(cores, perSecond)),
      },
      {
        name: "floor",
        isModel: true,
        points: model.capacity.map(({ cores, floorPerSecond }) => ({ x: cores, y: floorPerSecond })),
      },
    ],
  };
}

/** A band without an end is not drawn. */
function capacityPoint(x: number, { value, low, high }: Estimate): Series["points"][number] {
  return Number.isFinite(low) && Number.isFinite(high) ? { x, y: value, low, high } : { x, y: value };
}

function targetsOf(points: readonly { readonly target: string }[]): string[] {
  return [...new Set(points.map((point) => point.target))];
}

function workerCounts(points: readonly { readonly workers: number }[]): number[] {
  return [...new Set(points.map((point) => point.workers))].sort((a, b) => a - b);
}

function pointsAt(points: readonly ScalingPoint[], target: string, workers: number): ScalingPoint[] {
  return points.filter((point) => point.target === target && point.workers === workers);
}
