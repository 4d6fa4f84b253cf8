// One scenario of a result as tables; its charts are drawn up in scenario-charts.ts.

import type { Run } from "../compare.ts";
import type { RunResult } from "../contract.ts";
import type { ScenarioOutcome } from "../result.ts";
import type { ComparisonSummary, TargetSummary } from "../summary.ts";
import { formatNumber, formatRatio, formatSummary } from "./format.ts";
import type { Section } from "./html.ts";
import { scenarioCharts } from "./scenario-charts.ts";
import type { Table } from "./table.ts";

export function scenarioSection(outcome: ScenarioOutcome): Section {
  return {
    title: outcome.scenario,
    text: [describeParams(outcome)],
    tables: [figuresTable(outcome), ...ownTables(outcome), ...ratioTables(outcome.summary), deliveryTable(outcome)],
    ...scenarioCharts(outcome),
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
      notes: summary.targets.filter((target) => hasFiguresOfLosses(target, measures)).map(lossNote),
    },
  ];
}

function hasFiguresOfLosses({ lossReasons }: TargetSummary, measures: ComparisonSummary["measures"]): boolean {
  return lossReasons.length > 0 && measures.some(({ despiteLoss }) => despiteLoss === true);
}

/** Beside the figures, so that nobody reads them as those of a server that kept its promises. */
function lossNote({ target, lossReasons }: TargetSummary): string {
  return `${target}: this is what its clients went through; its speed and cost are void: ${lossReasons.join("; ")}`;
}

function figureCell(target: TargetSummary, { name, digits }: ComparisonSummary["measures"][number]): string {
  const summary = target.measures[name];
  return summary === undefined && isVoid(target) ? "void" : formatSummary(summary, digits);
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
  const measures = summary.measures.filter(({ name, isOwn }) => {
    return isOwn !== true && summary.targets.some((target) => name in target.ratios);
  });
  const others = summary.targets.filter((target) => measures.some(({ name }) => name in target.ratios));
  if (others.length === 0) return [];
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
