// Decides how a Mandelbrot view is cut into tasks for the pool: what each tile shows, and which comes first.

import type { TileRequest } from "../../workers/fractal-tile.ts";
import { FRACTAL, type FractalView } from "./page/protocol.ts";

/** Width of the whole set in the complex plane, with some air around it. */
const WIDTH_AT_ZOOM_1 = 3.5;

export function planTile({ x, y, zoom }: FractalView, index: number): TileRequest {
  const { width, height, tileSize, columns } = FRACTAL;
  const pixelSize = WIDTH_AT_ZOOM_1 / zoom / width;
  const column = index % columns;
  const row = Math.floor(index / columns);
  return {
    left: x + (column * tileSize - width / 2) * pixelSize,
    top: y - (row * tileSize - height / 2) * pixelSize,
    pixelSize,
    size: tileSize,
    maxIterations: iterationsFor(zoom),
  };
}

/** The middle first: that is where people look. */
export function orderTiles(tiles: readonly number[]): number[] {
  return [...tiles].sort((a, b) => distanceFromMiddle(a) - distanceFromMiddle(b) || a - b);
}

function distanceFromMiddle(index: number): number {
  const { columns, tileCount } = FRACTAL;
  const rows = tileCount / columns;
  return Math.hypot((index % columns) + 0.5 - columns / 2, Math.floor(index / columns) + 0.5 - rows / 2);
}

/** The deeper the view, the longer it takes points near the edge to show which side they are on. */
function iterationsFor(zoom: number): number {
  return Math.round(Math.min(5000, 500 + 100 * Math.log2(Math.max(1, zoom))));
}
