// Has the pool draw the tiles of a view, a few at a time, and hands each on as soon as it is there.

import type { TileResult } from "../../workers/fractal-tile.ts";
import type { ChatBox } from "./chat-server.ts";
import type { FractalView } from "./page/protocol.ts";
import { orderTiles, planTile } from "./plan-tiles.ts";

const TILE_DEADLINE_MS = 10_000;

export interface Drawing {
  readonly cpu: ChatBox["cpu"];
  readonly view: FractalView;
  readonly tiles: readonly number[];
  /** Tiles in the pool at once: as many as it has threads, so that one picture does not fill its queue. */
  readonly parallel: number;
  readonly signal?: AbortSignal;
  readonly onTile: (index: number, tile: TileResult) => void;
}

export interface DrawingResult {
  readonly drawn: number;
  /** Why the drawing stopped before all tiles were there. */
  readonly error?: unknown;
}

/**
 * Never rejects. Stops early at the first tile that the pool refuses or fails: who misses some asks for them again,
 * when the pool may have time.
 */
export async function drawFractal(drawing: Drawing): Promise<DrawingResult> {
  const { parallel, onTile } = drawing;
  const waiting = orderTiles(drawing.tiles);
  let drawn = 0;

  const drawSome = async (): Promise<void> => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      const tile = await drawTile(drawing, index);
      drawn++;
      onTile(index, tile);
    }
  };
  try {
    await Promise.all(Array.from({ length: parallel }, drawSome));
    return { drawn };
  } catch (error) {
    waiting.length = 0;
    return { drawn, error };
  }
}

function drawTile({ cpu, view, signal }: Drawing, index: number): Promise<TileResult> {
  const options = { deadlineMs: TILE_DEADLINE_MS, ...(signal !== undefined && { signal }) };
  return cpu.run<TileResult>("fractal-tile", planTile(view, index), options);
}
