import { inflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import fractalTile, { type TileRequest } from "../../workers/fractal-tile.ts";

/** The place in the palette of single points, each drawn as a tile of one pixel. */
function placeOf(left: number, top: number, maxIterations = 1000): number | undefined {
  return pixelsOf({ left, top, pixelSize: 1, size: 1, maxIterations })[0];
}

function pixelsOf(request: TileRequest): Uint8Array {
  return inflateRawSync(fractalTile(request).pixels);
}

describe("fractal-tile", () => {
  test.each([
    ["the origin", 0, 0],
    ["the middle of the period-2 disc", -1, 0],
    ["the tip of the antenna", -2, 0],
    ["i, which ends in a cycle", 0, 1],
    ["a point in the main cardioid", 0.25, 0],
  ])("%s is inside the set", (_what, x, y) => {
    expect(placeOf(x, y)).toBe(0);
  });

  test.each([
    ["just right of the cusp", 0.26, 0],
    ["2", 2, 0],
    ["-2.1", -2.1, 0],
    ["far away", 3, 3],
  ])("%s is outside", (_what, x, y) => {
    expect(placeOf(x, y)).toBeGreaterThan(0);
  });

  test("a point that escapes late is inside as long as nobody looks longer", () => {
    expect(placeOf(0.251, 0, 20)).toBe(0);
    expect(placeOf(0.251, 0, 1000)).toBeGreaterThan(0);
  });

  test("the lower half mirrors the upper", () => {
    const size = 8;
    const upper = pixelsOf({ left: -2, top: 1.75, pixelSize: 0.5, size, maxIterations: 200 });

    const rows = Array.from({ length: size }, (_, row) => [...upper.slice(row * size, (row + 1) * size)]);

    expect(rows).toEqual(rows.toReversed());
  });

  test("rows come first, from the top left", () => {
    const pixels = pixelsOf({ left: -1, top: 0, pixelSize: 3, size: 2, maxIterations: 100 });

    expect(Array.from(pixels, (place) => place === 0)).toEqual([true, false, false, false]);
  });

  test.each([
    undefined,
    null,
    {},
    { left: 0, top: 0, pixelSize: 1, size: 513, maxIterations: 10 },
    { left: 0, top: 0, pixelSize: 1, size: 1.5, maxIterations: 10 },
    { left: 0, top: 0, pixelSize: 0, size: 1, maxIterations: 10 },
    { left: Number.NaN, top: 0, pixelSize: 1, size: 1, maxIterations: 10 },
    { left: "0", top: 0, pixelSize: 1, size: 1, maxIterations: 10 },
    { left: 0, top: 0, pixelSize: 1, size: 1, maxIterations: 1e9 },
  ])("refuses %j as payload", (payload) => {
    expect(() => fractalTile(payload)).toThrow(TypeError);
  });
});
