// A result as it is read: on the terminal, as Markdown for the README, as a page.

import { AllcoresError } from "../../errors.ts";
import type { BenchResult } from "../result.ts";
import { htmlPage, type Page, type Section } from "./html.ts";
import { COST_CHART_ID, scalingSection } from "./scaling-section.ts";
import { scenarioSection } from "./scenario-section.ts";
import { svgChart } from "./svg.ts";
import { markdownTable, terminalTable } from "./table.ts";

export function terminalReport(result: BenchResult, useColour: boolean): string {
  const facts = factsOf(result);
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  const head = facts.map(([name, value]) => `${name.padEnd(width)}${value}\n`).join("");
  const sections = sectionsOf(result).flatMap((section) => [
    `\n== ${section.title} ==\n${(section.text ?? []).map((line) => `${line}\n`).join("")}`,
    ...section.tables.map((table) => `\n${terminalTable(table, useColour)}`),
  ]);
  return `${head}${sections.join("")}`;
}

export function markdownReport(result: BenchResult): string {
  const facts = factsOf(result).map(([name, value]) => `- ${name}: ${value}\n`);
  const sections = sectionsOf(result).flatMap((section) => [
    `### ${section.title}\n\n${(section.text ?? []).map((line) => `${line}\n\n`).join("")}`,
    ...section.tables.filter((table) => table.isDetail !== true).map((table) => `${markdownTable(table)}\n`),
  ]);
  return `${facts.join("")}\n${sections.join("")}`;
}

export function htmlReport(result: BenchResult): string {
  return htmlPage(pageOf(result));
}

/** The picture for the README: the scaling curve where there is one, otherwise the latency of the first scenario. */
export function svgReport(result: BenchResult): string {
  const charts = sectionsOf(result).flatMap((section) => section.charts);
  const chart = charts.find(({ id }) => id === COST_CHART_ID) ?? charts[0];
  if (chart === undefined)
    throw new AllcoresError("ALLCORES_ERR_BENCH", "There is no chart to draw: every run was void.");
  return svgChart(chart);
}

function pageOf(result: BenchResult): Page {
  return { title: `allcores bench ${result.name}`, facts: factsOf(result), sections: sectionsOf(result) };
}

function sectionsOf(result: BenchResult): Section[] {
  const scenarios = result.scenarios.map(scenarioSection);
  return result.scaling === undefined ? scenarios : [...scenarios, scalingSection(result.scaling)];
}

/** Machine, date, versions, settings and command: without them nobody can repeat a figure. */
function factsOf({ machine, servers, command, startedAt, finishedAt }: BenchResult): Page["facts"] {
  const memory = `${Math.round(machine.memoryBytes / 2 ** 30)} GB`;
  const minutes = (Date.parse(finishedAt) - Date.parse(startedAt)) / 60_000;
  return [
    ["command", command],
    ["date", `${startedAt.slice(0, 16).replace("T", " ")} UTC, ${minutes.toFixed(1)} minutes`],
    ["machine", `${machine.cores} cores, ${machine.cpu}, ${memory}, Linux ${machine.kernel}, Node ${machine.node}`],
    ...servers.map((server): [string, string] => [server.name, serverText(server)]),
  ];
}

function serverText({ summary, versions, settings }: BenchResult["servers"][number]): string {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const parts = [summary, packages.join(", "), settings.join(", ")];
  return parts.filter((part) => part !== "").join("; ");
}
