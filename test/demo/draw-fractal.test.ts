import { describe, expect, test } from "vitest";
import { drawFractal } from "../../src/demo/draw-fractal.ts";

const view = { x: 0, y: 0, zoom: 1 };
const tile = { pixels: new Uint8Array(), thread: 1, durationMs: 1 };

describe("drawFractal", () => {
  test("has no more tiles in the pool at once than asked for", async () => {
    let inPool = 0;
    let most = 0;
    const run = async <T>(): Promise<T> => {
      most = Math.max(most, ++inPool);
      await new Promise((resolve) => setImmediate(resolve));
      inPool--;
      return tile as T;
    };

    const { drawn } = await drawFractal({
      cpu: { run },
      view,
      tiles: [0, 1, 2, 3, 4, 5],
      parallel: 2,
      onTile: () => {},
    });

    expect({ drawn, most }).toEqual({ drawn: 6, most: 2 });
  });

  test("stops at the first failure and says why", async () => {
    const full = new Error("full");
    let runs = 0;
    const run = <T>(): Promise<T> => (++runs === 3 ? Promise.reject(full) : Promise.resolve(tile as T));

    const result = await drawFractal({ cpu: { run }, view, tiles: [0, 1, 2, 3, 4, 5], parallel: 1, onTile: () => {} });

    expect(result).toEqual({ drawn: 2, error: full });
    expect(runs).toBe(3);
  });
});
