// One scenario of a result as tables and charts.

import type { Run } from "../compare.ts";
import type { Role, RunResult } from "../contract.ts";
import type { ScenarioOutcome } from "../result.ts";
import type { ComparisonSummary, TargetSummary } from "../summary.ts";
import type { Bars, Chart, Series } from "./chart.ts";
import { formatNumber, formatRatio, formatSummary } from "./format.ts";
import type { Section } from "./html.ts";
import type { Table } from "./table.ts";

export function scenarioSection(outcome: ScenarioOutcome): Section {
  const shown = typicalResults(outcome.runs);
  return {
    title: outcome.scenario,
    text: [describeParams(outcome)],
    tables: [figuresTable(outcome), ...ownTables(outcome), ...ratioTables(outcome.summary), deliveryTable(outcome)],
    bars: costBars(outcome.scenario, shown),
    charts: [...latencyCharts(outcome.scenario, shown), ...timelineCharts(outcome.scenario, shown)],
  };
}

function describeParams({ params, rounds }: ScenarioOutcome): string {
  const values = Object.entries(params).map(([name, value]) => `${name} ${value}`);
  return `${rounds === 1 ? "One round" : `${rounds} rounds, interleaved`}. ${values.join(", ")}.`;
}

/** The figures of each server. A server whose runs were all void has none, and the notes say why. */
function figuresTable({ scenario, summary }: ScenarioOutcome): Table {
  const measures = summary.measures.filter((measure) => measure.isOwn !== true);
  return {
    title: `${scenario}: figures`,
    columns: ["server", ...(measures.length === 0 ? [""] : measures.map((measure) => measure.label))],
    rows: summary.targets.map((target) => {
      const cells = measures.map((measure) => figureCell(target, measure));
      return [serverName(target), ...(cells.length === 0 ? [isVoid(target) ? "void" : ""] : cells)];
    }),
    notes: notesOf(summary),
  };
}

/** What only this scenario has: long names and few servers, so the servers are the columns. */
function ownTables({ scenario, summary }: ScenarioOutcome): Table[] {
  const measures = summary.measures.filter((measure) => measure.isOwn === true);
  if (measures.length === 0) return [];
  return [
    {
      title: `${scenario}: what it is about`,
      columns: ["figure", ...summary.targets.map(serverName)],
      rows: measures.map((measure) => [
        `${measure.label}${BETTER[measure.better]}`,
        ...summary.targets.map((target) => figureCell(target, measure)),
      ]),
    },
  ];
}

function figureCell(target: TargetSummary, { name, digits }: ComparisonSummary["measures"][number]): string {
  return isVoid(target) ? "void" : formatSummary(target.measures[name], digits);
}

function isVoid({ voidRuns, runs }: TargetSummary): boolean {
  return voidRuns === runs;
}

function notesOf(summary: ComparisonSummary): string[] {
  const voids = summary.targets.flatMap((target) =>
    target.voidReasons.map((reason) => `${target.target}: ${target.voidRuns} of ${target.runs} runs void: ${reason}`),
  );
  if (summary.noisy.length === 0) return voids;
  return [
    ...voids,
    `NOISY: ${summary.noisy.join(", ")}. Small differences mean nothing here; repeat on a quiet machine.`,
  ];
}

function serverName({ target, workers }: TargetSummary): string {
  return workers > 1 ? `${target} (${workers} workers)` : target;
}

/** How the others do against the first server. One server has nobody to be compared with. */
function ratioTables(summary: ComparisonSummary): Table[] {
  const others = summary.targets.filter((target) => Object.keys(target.ratios).length > 0);
  if (others.length === 0) return [];
  const measures = summary.measures.filter(({ name, isOwn }) => {
    return isOwn !== true && others.some((target) => name in target.ratios);
  });
  return [
    {
      title: `compared with ${summary.reference} (×2 is twice its figure; median of the rounds)`,
      columns: ["server", ...measures.map((measure) => `${measure.label}${BETTER[measure.better]}`)],
      rows: others.map((target) => [
        serverName(target),
        ...measures.map(({ name }) => formatRatio(target.ratios[name])),
      ]),
    },
  ];
}

const BETTER = { lower: " ↓", higher: " ↑", neither: "" } as const;

/** What the ledger saw, all rounds added up, void runs included: this is where their reasons show. */
function deliveryTable({ scenario, runs, summary }: ScenarioOutcome): Table {
  return {
    title: `${scenario}: delivery`,
    isDetail: true,
    columns: ["server", ...DELIVERY.map(([name]) => name)],
    rows: summary.targets.map(({ target }) => {
      const results = runs.flatMap((run) => (run.target === target && run.result !== undefined ? [run.result] : []));
      return [target, ...DELIVERY.map(([, read]) => (results.length === 0 ? "" : sumOf(results, read)))];
    }),
    notes: [...new Set(runs.filter(hasUnorderedRooms).map(({ target }) => `${target}: ${UNORDERED}`))],
  };
}

const UNORDERED = "members of one room saw its messages in different orders, which this server does not rule out";

function hasUnorderedRooms({ result, voidReasons }: Run): boolean {
  return voidReasons.length === 0 && (result?.ledger.roomOrder ?? 0) > 0;
}

const DELIVERY: readonly (readonly [name: string, read: (result: RunResult) => number])[] = [
  ["expected", ({ counts }) => counts.expected],
  ["delivered", ({ counts }) => counts.delivered],
  ["lost", ({ ledger }) => ledger.lost],
  ["missed", ({ ledger }) => ledger.missed],
  ["twice", ({ ledger }) => ledger.duplicates],
  ["out of order", ({ ledger }) => ledger.senderOrder],
  ["rooms at odds", ({ ledger }) => ledger.roomOrder],
  ["astray or changed", ({ ledger }) => ledger.stray + ledger.corrupt],
  ["connects", ({ connects }) => connects.attempted],
  ["hung", ({ connects }) => connects.hung],
  ["refused", ({ connects }) => connects.refused],
];

function sumOf(results: readonly RunResult[], read: (result: RunResult) => number): string {
  return formatNumber(
    results.reduce((sum, result) => sum + read(result), 0),
    0,
  );
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
