// Task: one square tile of a Mandelbrot view. The slow part of `/fractal`, on purpose without any trick to make it fast.

import { performance } from "node:perf_hooks";
import { threadId } from "node:worker_threads";
import { deflateRawSync } from "node:zlib";

/** A rectangle of the complex plane, given by its top left corner and the size of a pixel. */
export interface TileRequest {
  readonly left: number;
  readonly top: number;
  readonly pixelSize: number;
  /** Pixels along one side. */
  readonly size: number;
  readonly maxIterations: number;
}

export interface TileResult {
  /** One byte a pixel, row by row, deflated (RFC 1951). 0: inside the set; 1 to 255: a place in a round palette. */
  readonly pixels: Uint8Array;
  readonly thread: number;
  readonly durationMs: number;
}

const MAX_SIZE = 512;
const MAX_ITERATIONS = 10_000;
/** Far outside the circle of radius 2 the escape count can be made smooth. */
const ESCAPE_RADIUS_SQUARED = 1 << 16;
/** Places in the palette for each doubling of the escape count: deep views have high counts, close together. */
const PLACES_PER_DOUBLING = 56;

export default function fractalTile(payload: unknown): TileResult {
  const request = checkRequest(payload);
  const startedAt = performance.now();
  const pixels = deflateRawSync(drawTile(request));
  return { pixels: new Uint8Array(pixels), thread: threadId, durationMs: performance.now() - startedAt };
}

function drawTile({ left, top, pixelSize, size, maxIterations }: TileRequest): Uint8Array {
  const pixels = new Uint8Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const steps = escapeCount(left + column * pixelSize, top - row * pixelSize, maxIterations);
      if (steps !== undefined) pixels[row * size + column] = placeInPalette(steps);
    }
  }
  return pixels;
}

function placeInPalette(steps: number): number {
  return 1 + (Math.floor(Math.log2(steps + 1) * PLACES_PER_DOUBLING) % 255);
}

/** Steps of z = z^2 + c until z escapes, with the fraction that makes neighbouring colours blend; undefined: never. */
function escapeCount(cx: number, cy: number, maxIterations: number): number | undefined {
  let x = 0;
  let y = 0;
  for (let step = 0; step < maxIterations; step++) {
    const xx = x * x;
    const yy = y * y;
    if (xx + yy > ESCAPE_RADIUS_SQUARED) return Math.max(0, step + 1 - Math.log2(Math.log2(xx + yy) / 2));
    y = 2 * x * y + cy;
    x = xx - yy + cx;
  }
  return undefined;
}

function checkRequest(payload: unknown): TileRequest {
  const { left, top, pixelSize, size, maxIterations } = Object(payload) as Record<keyof TileRequest, number>;
  const isValid =
    Number.isFinite(left) &&
    Number.isFinite(top) &&
    pixelSize > 0 &&
    isCount(size, MAX_SIZE) &&
    isCount(maxIterations, MAX_ITERATIONS);
  if (!isValid)
    throw new TypeError("The payload must be { left, top, pixelSize, size, maxIterations }, all in bounds.");
  return { left, top, pixelSize, size, maxIterations };
}

function isCount(value: unknown, max: number): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= max;
}
