import { describe, expect, test } from "vitest";
import { FRACTAL } from "../../src/demo/page/protocol.ts";
import { orderTiles, planTile } from "../../src/demo/plan-tiles.ts";

const ALL = Array.from({ length: FRACTAL.tileCount }, (_, index) => index);

describe("planTile", () => {
  test("covers the view without gap or overlap", () => {
    const view = { x: -0.75, y: 0, zoom: 1 };

    const [first, right, below, last] = [0, 1, FRACTAL.columns, FRACTAL.tileCount - 1].map((index) =>
      planTile(view, index),
    );

    const tileWidth = (first?.pixelSize ?? 0) * FRACTAL.tileSize;
    expect(first?.left).toBeCloseTo(-0.75 - 1.75);
    expect(right?.left).toBeCloseTo((first?.left ?? 0) + tileWidth);
    expect(below?.top).toBeCloseTo((first?.top ?? 0) - tileWidth);
    expect((last?.left ?? 0) + tileWidth).toBeCloseTo(-0.75 + 1.75);
    expect((last?.top ?? 0) - tileWidth).toBeCloseTo(-(first?.top ?? 0));
  });

  test("looks longer at deeper views, within a bound", () => {
    const iterations = [1, 1000, 1e12].map((zoom) => planTile({ x: 0, y: 0, zoom }, 0).maxIterations);

    expect(iterations).toEqual([...iterations].sort((a, b) => a - b));
    expect(iterations.at(-1)).toBeLessThanOrEqual(5000);
  });
});

describe("orderTiles", () => {
  test("begins in the middle and ends in the corners", () => {
    const order = orderTiles(ALL);

    expect(order.slice(0, 4).sort((a, b) => a - b)).toEqual([8, 9, 14, 15]);
    expect(order.slice(-4).sort((a, b) => a - b)).toEqual([0, 5, 18, 23]);
  });
});
