// Runs in the report page: draws the charts that stand in it as JSON, and draws them again in the other colour scheme.

import type uPlot from "uplot";
import type { Chart, Scale, Series } from "../chart.ts";

const UPlot = (window as unknown as { uPlot: typeof uPlot }).uPlot;
const HEIGHT = 320;
const SERIES_COLOURS = 7;
const darkScheme = matchMedia("(prefers-color-scheme: dark)");

const json = document.getElementById("charts")?.textContent ?? "[]";
const drawn = (JSON.parse(json) as Chart[]).map(mount);
darkScheme.addEventListener("change", () => {
  for (const redraw of drawn) redraw();
});

/** Draws the chart into its place and returns what draws it anew. */
function mount(chart: Chart): () => void {
  const place = document.querySelector<HTMLElement>(`[data-chart="${chart.id}"]`);
  if (place === null) return () => {};
  let plot: uPlot | undefined;
  const draw = (): void => {
    plot?.destroy();
    plot = new UPlot(optionsOf(chart, place.clientWidth), dataOf(chart), place);
  };
  new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
  draw();
  return draw;
}

/** Each series becomes one line, or three when it has a band: the line, its upper and its lower edge. */
interface Line {
  readonly series: Series;
  readonly index: number;
  readonly edge: "y" | "high" | "low";
}

function linesOf(chart: Chart): Line[] {
  return chart.series.flatMap((series, index): Line[] => {
    const hasBand = series.points.some((point) => point.high !== undefined);
    const edges = hasBand ? (["y", "high", "low"] as const) : (["y"] as const);
    return edges.map((edge) => ({ series, index, edge }));
  });
}

function dataOf(chart: Chart): uPlot.AlignedData {
  const tables = linesOf(chart).map(({ series, edge }): uPlot.AlignedData => {
    return [series.points.map((point) => point.x), series.points.map((point) => point[edge] ?? null)];
  });
  return tables.length === 0 ? [[]] : UPlot.join(tables);
}

function optionsOf(chart: Chart, width: number): uPlot.Options {
  const lines = linesOf(chart);
  return {
    width,
    height: HEIGHT,
    // Room for the right half of the last label below the x axis.
    padding: [null, 32, null, null],
    cursor: { drag: { x: false, y: false } },
    scales: { x: scaleOf(chart.x.scale, false), y: scaleOf(chart.y.scale, true) },
    axes: [axisOf(chart.x.label, chart.x.scale), { ...axisOf(chart.y.label, chart.y.scale), size: 70 }],
    series: [{ label: chart.x.label, value: (_plot, value) => tickText(value, chart.x.scale) }, ...lines.map(seriesOf)],
    bands: lines.flatMap((line, at) => (line.edge === "high" ? [bandOf(line, at + 1)] : [])),
    hooks: { draw: [(plot) => drawMarks(plot, chart)] },
  };
}

function scaleOf(scale: Scale, fromZero: boolean): uPlot.Scale {
  if (scale !== "linear") return { time: false, distr: 3, log: scale === "nines" ? 10 : 2 };
  return fromZero ? { time: false, range: (_plot, _min, max) => [0, max > 0 ? max * 1.08 : 1] } : { time: false };
}

function axisOf(label: string, scale: Scale): uPlot.Axis {
  const grid = { stroke: cssVariable("--grid"), width: 1 };
  return {
    label,
    stroke: cssVariable("--muted"),
    grid,
    ticks: grid,
    values: (_plot, ticks) => ticks.map((tick) => tickText(tick, scale)),
    // uPlot thins out the labels of its logarithmic axes; ours have few ticks, and all are wanted.
    filter: (_plot, ticks) => ticks.map((tick) => (isLabelled(tick, scale) ? tick : null)),
  };
}

function isLabelled(tick: number, scale: Scale): boolean {
  if (scale === "nines") return tick === 2 || Number.isInteger(Math.log10(tick));
  return true;
}

// As `tickText` of chart.ts, which this script cannot import: it stands in the page by itself.
function tickText(value: number | null, scale: Scale): string {
  if (value === null || value === undefined) return "";
  if (scale === "nines") return `${Number((100 - 100 / value).toPrecision(6))} %`;
  const notation = Math.abs(value) < 10_000 ? "standard" : "compact";
  return value.toLocaleString("en", { notation, maximumSignificantDigits: 3 });
}

function seriesOf({ series, index, edge }: Line): uPlot.Series {
  const stroke = cssVariable(`--s${index % SERIES_COLOURS}`);
  const isEdge = edge !== "y";
  return {
    label: isEdge ? `${series.name} (${edge})` : series.name,
    stroke: isEdge ? "transparent" : stroke,
    width: isEdge ? 0 : 2,
    spanGaps: true,
    points: { show: !isEdge && series.isModel !== true && series.points.length < 40 },
    value: (_plot, value) => tickText(value, "linear"),
    ...(isEdge && { class: "edge" }),
    ...(series.isModel === true && { dash: [6, 4] }),
  };
}

function bandOf(line: Line, at: number): uPlot.Band {
  return { series: [at, at + 1], fill: `${cssVariable(`--s${line.index % SERIES_COLOURS}`)}26` };
}

function drawMarks(plot: uPlot, chart: Chart): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = cssVariable("--mark");
  ctx.textAlign = "left";
  ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  for (const mark of chart.marks ?? []) {
    const x = plot.valToPos(mark.x, "x", true);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(mark.label, x + 4 * devicePixelRatio, bbox.top + 12 * devicePixelRatio);
  }
  ctx.restore();
}

function cssVariable(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
