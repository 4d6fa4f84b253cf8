// The report as one page that needs nothing but itself: uPlot, styles, figures and script are all inside.
// Behind every chart stands the table it was drawn from.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { svgBars } from "./bars.ts";
import { axisText, type Bars, type Chart } from "./chart.ts";
import { THEME_CSS } from "./colours.ts";
import { escapeHtml, htmlTable, type Table } from "./table.ts";

export interface Section {
  readonly title: string;
  /** Paragraphs below the title. */
  readonly text?: readonly string[];
  readonly tables: readonly Table[];
  readonly charts: readonly Chart[];
  readonly bars: readonly Bars[];
}

export interface Page {
  readonly title: string;
  /** What was run where: name and value. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly sections: readonly Section[];
}

export function htmlPage(page: Page): string {
  const charts = page.sections.flatMap((section) => section.charts);
  const uplot = createRequire(import.meta.url).resolve("uplot/dist/uPlot.iife.min.js");
  const script = readFileSync(new URL("./page/charts.js", import.meta.url), "utf8");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(page.title)}</title>
<link rel="icon" href="data:,">
<style>${readFileSync(uplot.replace("uPlot.iife.min.js", "uPlot.min.css"), "utf8")}
${THEME_CSS}
${PAGE_CSS}</style>
</head>
<body>
<header><h1>${escapeHtml(page.title)}</h1>${factList(page.facts)}</header>
<main>
${page.sections.map(sectionHtml).join("\n")}
</main>
<script type="application/json" id="charts">${JSON.stringify(charts).replaceAll("<", "\\u003c")}</script>
<script>${inlineScript(readFileSync(uplot, "utf8"))}</script>
<script type="module">${inlineScript(script)}</script>
</body>
</html>
`;
}

const PAGE_CSS = `body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.6rem; margin: 0 0 .5rem } h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; font-size: .9rem } dt { color: var(--muted) } dd { margin: 0; overflow-wrap: anywhere }
figure { margin: 1.5rem 0 } figcaption { margin-bottom: .5rem } figcaption strong { display: block }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums } caption { text-align: left; font-weight: 600; padding: .3rem 0 }
.scroll { overflow-x: auto } .scroll th, .scroll td { padding: .3rem .8rem .3rem 0; text-align: right; border-bottom: 1px solid var(--grid); white-space: nowrap }
.scroll th:first-child { text-align: left; font-weight: 500 } thead th { color: var(--muted); font-weight: 500 }
.note { color: var(--muted); font-size: .9rem; margin: .3rem 0 } summary { cursor: pointer; color: var(--muted) }
figure svg { width: 100%; height: auto; font-size: 13px } figure svg text { fill: var(--ink) }
.uplot, .u-legend { color: var(--ink) } .u-legend { font-size: 13px } .u-legend .edge { display: none }
:focus-visible { outline: 2px solid var(--s0); outline-offset: 2px }`;

function sectionHtml(section: Section): string {
  const text = (section.text ?? []).map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join("");
  const parts = [...section.tables.map(htmlTable), ...section.bars.map(barsFigure), ...section.charts.map(chartFigure)];
  return `<section><h2>${escapeHtml(section.title)}</h2>${text}${parts.join("\n")}</section>`;
}

function barsFigure(bars: Bars): string {
  const table: Table = {
    title: `${bars.title}, ${bars.unit}`,
    columns: ["", ...bars.parts],
    rows: bars.rows.map((row) => [row.name, ...row.values.map((value) => value.toFixed(2))]),
  };
  return figure(bars, svgBars(bars), table);
}

function chartFigure(chart: Chart): string {
  const label = escapeHtml(`${chart.title}. ${chart.caption}`);
  return figure(chart, `<div data-chart="${chart.id}" role="img" aria-label="${label}"></div>`, chartTable(chart));
}

function figure(about: { title: string; caption: string }, drawing: string, table: Table): string {
  const caption = `<figcaption><strong>${escapeHtml(about.title)}</strong>${escapeHtml(about.caption)}</figcaption>`;
  return `<figure>${caption}${drawing}<details><summary>The figures as a table</summary>${htmlTable(table)}</details></figure>`;
}

/** The figures of a chart: one row for each x, one column for each line. */
function chartTable(chart: Chart): Table {
  const xs = [...new Set(chart.series.flatMap((series) => series.points.map((point) => point.x)))].sort(
    (a, b) => a - b,
  );
  const at = (x: number, points: Chart["series"][number]["points"]): string => {
    const y = points.find((point) => point.x === x)?.y;
    return y === undefined ? "" : axisText(y, "linear");
  };
  return {
    title: `${chart.title}: ${chart.y.label}`,
    columns: [chart.x.label, ...chart.series.map((series) => series.name)],
    rows: xs.map((x) => [axisText(x, chart.x.scale), ...chart.series.map((series) => at(x, series.points))]),
    ...(chart.marks !== undefined && {
      notes: chart.marks.map((mark) => `${mark.label} at ${axisText(mark.x, "linear")}`),
    }),
  };
}

function factList(facts: Page["facts"]): string {
  const entries = facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return `<dl>${entries.join("")}</dl>`;
}

/** A script cannot hold its own end tag. */
function inlineScript(source: string): string {
  return source.replaceAll("</script", "<\\/script").replace(/^\/\/# sourceMappingURL=.*$/m, "");
}
