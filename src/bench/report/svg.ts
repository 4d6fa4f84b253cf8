// Draws a line chart as a small SVG that follows the reader's colour scheme, for the README.
// Lines carry their names at their ends, so that nobody has to match colours with a legend.

import { type Chart, niceTicks, type Scale, type Series, tickText } from "./chart.ts";
import { seriesColour, THEME_CSS } from "./colours.ts";
import { escapeHtml } from "./table.ts";

const WIDTH = 720;
const HEIGHT = 360;
const PLOT = { left: 64, right: WIDTH - 172, top: 44, bottom: HEIGHT - 48 };
const LABEL_HEIGHT = 15;

export function svgChart(chart: Chart): string {
  const toX = axis(chart.x.scale, values(chart, "x"), PLOT.left, PLOT.right);
  const toY = axis("linear", [0, ...values(chart, "y")], PLOT.bottom, PLOT.top);
  const lines = chart.series.map((series, index) => svgSeries(series, index, toX.place, toY.place)).join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="t d" font-family="system-ui, sans-serif" font-size="12">
<title id="t">${escapeHtml(chart.title)}</title><desc id="d">${escapeHtml(chart.caption)}</desc>
<style>${THEME_CSS} svg { background: var(--page) } text { fill: var(--ink) } .muted { fill: var(--muted) }</style>
<text x="16" y="24" font-size="15" font-weight="600">${escapeHtml(chart.title)}</text>
${toY.ticks.map((tick) => gridLine(toY.place(tick), tick)).join("")}
${toX.ticks.map((tick) => xLabel(toX.place(tick), tickText(tick, chart.x.scale))).join("")}
<text class="muted" x="${PLOT.left}" y="${HEIGHT - 12}">${escapeHtml(chart.x.label)}</text>
<text class="muted" x="16" y="40">${escapeHtml(chart.y.label)}</text>
${lines}${endLabels(chart, toY.place)}
</svg>
`;
}

interface Axis {
  readonly place: (value: number) => number;
  readonly ticks: readonly number[];
}

function axis(scale: Scale, shown: readonly number[], from: number, to: number): Axis {
  const min = Math.min(...shown);
  const max = Math.max(...shown);
  const bend = (value: number): number => (scale === "linear" ? value : Math.log(value));
  const span = bend(max) - bend(min) || 1;
  const place = (value: number): number => round(from + ((bend(value) - bend(min)) / span) * (to - from));
  return { place, ticks: axisTicks(scale, shown, min, max) };
}

/** On a logarithmic axis the values themselves (numbers of workers, cores), on that of percentiles the round ones. */
function axisTicks(scale: Scale, shown: readonly number[], min: number, max: number): readonly number[] {
  if (scale === "linear") return niceTicks(min, max);
  if (scale === "log") return [...new Set(shown)].sort((a, b) => a - b);
  return [2, 10, 100, 1_000, 10_000, 100_000].filter((tick) => tick >= min && tick <= max);
}

function svgSeries(series: Series, index: number, toX: Place, toY: Place): string {
  const colour = seriesColour(index);
  const path = series.points.map((point) => `${toX(point.x)},${toY(point.y)}`).join(" ");
  const dash = series.isModel ? ' stroke-dasharray="5 4"' : "";
  const dots = series.isModel
    ? ""
    : series.points
        .map((point) => `<circle cx="${toX(point.x)}" cy="${toY(point.y)}" r="3" fill="${colour}"/>`)
        .join("");
  return `${band(series, colour, toX, toY)}<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>${dots}\n`;
}

type Place = (value: number) => number;

function band(series: Series, colour: string, toX: Place, toY: Place): string {
  const edge = (end: "low" | "high") =>
    series.points.flatMap((point) => (point[end] === undefined ? [] : [`${toX(point.x)},${toY(point[end])}`]));
  const outline = [...edge("high"), ...edge("low").reverse()];
  return outline.length < 4 ? "" : `<polygon points="${outline.join(" ")}" fill="${colour}" opacity="0.15"/>`;
}

/** The names at the ends of the lines, pushed apart where lines end close to each other. */
function endLabels(chart: Chart, toY: Place): string {
  const ends = chart.series
    .map((series, index) => ({ series, index, y: toY(series.points.at(-1)?.y ?? 0) }))
    .sort((a, b) => a.y - b.y);
  let lowest = Number.NEGATIVE_INFINITY;
  return ends
    .map(({ series, index, y }) => {
      lowest = Math.max(y, lowest + LABEL_HEIGHT);
      return `<text x="${PLOT.right + 8}" y="${round(lowest + 4)}" style="fill:${seriesColour(index)}">${escapeHtml(series.name)}</text>`;
    })
    .join("");
}

function gridLine(y: number, tick: number): string {
  return `<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${y}" y2="${y}" stroke="var(--grid)"/><text class="muted" x="${PLOT.left - 8}" y="${y + 4}" text-anchor="end">${tickText(tick, "linear")}</text>`;
}

function xLabel(x: number, text: string): string {
  return `<text class="muted" x="${x}" y="${PLOT.bottom + 18}" text-anchor="middle">${text}</text>`;
}

function values(chart: Chart, key: "x" | "y"): number[] {
  return chart.series.flatMap((series) =>
    series.points.flatMap((point) => (key === "x" ? [point.x] : [point.y, point.high ?? point.y])),
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
