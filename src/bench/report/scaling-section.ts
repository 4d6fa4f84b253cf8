// What `bench scaling` found, as tables and charts: the points that were measured, and the model that was drawn from them.

import type { ScalingOutcome } from "../result.ts";
import { FLOOR, type ScalingModel, type ScalingPoint } from "../scaling.ts";
import { type Estimate, summarize } from "../statistics.ts";
import { NOISY_SPREAD } from "../summary.ts";
import type { Chart, Series } from "./chart.ts";
import { formatNumber, formatPercent, formatRatio, formatShort, formatSummary } from "./format.ts";
import type { Section } from "./html.ts";
import type { Table } from "./table.ts";

export function scalingSection(outcome: ScalingOutcome): Section {
  return {
    title: "scaling",
    text: [
      `Measured: what a message costs with more workers, at the same rate. ${outcome.law}`,
      `A run is void here when 1 % of messages left more than ${outcome.maxLagMs} ms late.`,
    ],
    tables: [measuredTable(outcome), ...outcome.models.map(({ target, model }) => capacityTable(target, model))],
    bars: [],
    charts: [costChart(outcome), ...outcome.models.map(({ target, model }) => capacityChart(target, model))],
  };
}

function measuredTable({ points, runs, rounds }: ScalingOutcome): Table {
  const servers = workerCounts(runs).flatMap((workers) => targetsOf(runs).map((target) => ({ workers, target })));
  return {
    title: `measured: CPU time of the whole server per delivered message (median of ${rounds} rounds)`,
    columns: ["server", "CPU-µs/message", "against the floor", "of which primary", "primary share", "machine busy"],
    rows: servers.map(({ workers, target }) => [
      `${target} (${workersText(workers)})`,
      ...measuredCells(pointsAt(points, target, workers), pointsAt(points, FLOOR, workers)),
    ]),
    notes: [
      ...servers.flatMap(({ workers, target }) => voidNote(runs, target, workers)),
      ...servers.flatMap(({ workers, target }) => noiseNote(pointsAt(points, target, workers))),
      ...saturationNote(points),
    ],
  };
}

function noiseNote(points: readonly ScalingPoint[]): string[] {
  const [point] = points;
  const { spread } = summarize(points.map(({ costUs }) => costUs));
  if (point === undefined || !(spread > NOISY_SPREAD)) return [];
  return [`NOISY: ${point.target} (${workersText(point.workers)}) ±${formatPercent(spread)}`];
}

/** Below this the machine was so idle that a message paid for wake-ups which it shares when the machine is full. */
const SATURATED = 0.6;

function saturationNote(points: readonly ScalingPoint[]): string[] {
  if (points.length === 0) return [];
  const { min } = summarize(points.map(({ machineBusy }) => machineBusy));
  if (min >= SATURATED) return [];
  return [
    `The machine was only ${formatPercent(min)} busy in some runs: costs there are those of a server spread thin, and the model says too little. Raise --rate.`,
  ];
}

function voidNote(all: ScalingOutcome["runs"], target: string, workers: number): string[] {
  const runs = all.filter((run) => run.target === target && run.workers === workers);
  const voids = runs.filter((run) => run.voidReasons.length > 0);
  if (voids.length === 0) return [];
  const reasons = [...new Set(voids.flatMap((run) => run.voidReasons))].join("; ");
  return [`${target} (${workersText(workers)}): ${voids.length} of ${runs.length} runs void: ${reasons}`];
}

function workersText(workers: number): string {
  return workers === 1 ? "1 worker" : `${workers} workers`;
}

function measuredCells(points: readonly ScalingPoint[], floors: readonly ScalingPoint[]): string[] {
  if (points.length === 0) return ["void", "", "", "", ""];
  const median = (read: (point: ScalingPoint) => number): number => summarize(points.map(read)).median;
  const ratios = points.flatMap((point) => {
    const floor = floors.find(({ round }) => round === point.round);
    return floor === undefined ? [] : [point.costUs / floor.costUs];
  });
  return [
    formatSummary(summarize(points.map((point) => point.costUs)), 1),
    ratios.length === 0 ? "" : formatRatio(summarize(ratios)),
    formatNumber(
      median((point) => point.primaryUs),
      2,
    ),
    formatPercent(median((point) => point.primaryUs / point.costUs)),
    formatPercent(median((point) => point.machineBusy)),
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
