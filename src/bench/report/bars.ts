// Draws stacked horizontal bars as SVG: what a message costs, by role, one bar a server.

import type { Bars } from "./chart.ts";
import { seriesColour } from "./colours.ts";
import { escapeHtml } from "./table.ts";

const ROW_HEIGHT = 30;
const NAME_WIDTH = 240;
const BAR_WIDTH = 430;
const WIDTH = NAME_WIDTH + BAR_WIDTH + 90;

export function svgBars(bars: Bars): string {
  const longest = Math.max(...bars.rows.map((row) => total(row.values)), Number.MIN_VALUE);
  const top = 30;
  const height = top + bars.rows.length * ROW_HEIGHT + 6;
  const rows = bars.rows.map((row, at) => svgRow(row, top + at * ROW_HEIGHT, BAR_WIDTH / longest)).join("");
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(`${bars.title}. ${bars.caption}`)}">${legend(bars.parts)}${rows}</svg>`;
}

function svgRow(row: Bars["rows"][number], y: number, pixelsPerUnit: number): string {
  let x = NAME_WIDTH;
  const parts = row.values.map((value, index) => {
    const width = value * pixelsPerUnit;
    const rect = `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW_HEIGHT - 8}" fill="${seriesColour(index)}"/>`;
    x += width;
    return rect;
  });
  const middle = y + 15;
  return `<text x="${NAME_WIDTH - 8}" y="${middle}" text-anchor="end">${escapeHtml(row.name)}</text>${parts.join("")}<text x="${(x + 6).toFixed(1)}" y="${middle}">${total(row.values).toFixed(1)}</text>`;
}

function legend(parts: readonly string[]): string {
  return parts
    .map((name, index) => {
      const x = NAME_WIDTH + index * 130;
      return `<rect x="${x}" y="6" width="12" height="12" fill="${seriesColour(index)}"/><text x="${x + 18}" y="16">${escapeHtml(name)}</text>`;
    })
    .join("");
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
