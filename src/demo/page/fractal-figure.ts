// One picture. Tiles are painted as they come; `gallery.ts` asks for those that are missing.
// A canvas of this size is 3.5 MB, its tiles are a tenth of that: out of sight only the tiles are kept.

import { hueOfNumber, setHue } from "./colours.ts";
import { copyTemplate, find } from "./dom.ts";
import { tileToImage } from "./palette.ts";
import { FRACTAL, type FractalTile, type FractalView, LIMITS } from "./protocol.ts";

/** Width of the complex plane at zoom 1: the server plans its tiles with the same number. */
const WIDTH_AT_ZOOM_1 = 3.5;
const ZOOM_STEP = 4;

export class FractalFigure {
  readonly element = copyTemplate("fractal-template");
  readonly messageId: string;
  /** When the last tile came or was asked for, by `performance.now()`. */
  lastNewsAt = performance.now();
  /** The box does not have it any more: its missing tiles will never come. */
  isLost = false;
  readonly #view: FractalView;
  readonly #onZoom: (view: FractalView) => void;
  readonly #canvas = find(this.element, "canvas", HTMLCanvasElement);
  readonly #progress = find(this.element, ".progress", HTMLElement);
  readonly #cells: HTMLElement[];
  /** By index. */
  readonly #tiles = new Map<number, FractalTile>();
  readonly #threads = new Set<number>();
  #computedMs = 0;
  #isInSight = false;

  constructor(messageId: string, view: FractalView, onZoom: (view: FractalView) => void) {
    this.messageId = messageId;
    this.#view = view;
    this.#onZoom = onZoom;
    this.#cells = Array.from({ length: FRACTAL.tileCount }, () => document.createElement("i"));
    find(this.element, ".tiles", HTMLElement).replaceChildren(...this.#cells);
    this.#canvas.setAttribute("aria-label", `Mandelbrot set around ${describePlace(view)}`);
    this.#listen();
    this.#showProgress();
  }

  get missing(): readonly number[] {
    return this.isLost ? [] : this.#cells.map((_, index) => index).filter((index) => !this.#tiles.has(index));
  }

  add(tile: FractalTile): void {
    this.lastNewsAt = performance.now();
    if (this.#tiles.has(tile.index)) return;
    this.#tiles.set(tile.index, tile);
    this.#threads.add(tile.thread);
    this.#computedMs += tile.durationMs;
    this.#flash(tile);
    this.#showProgress();
    if (this.#isInSight) void this.#paint(tile);
  }

  giveUp(): void {
    this.isLost = true;
    this.#progress.textContent = "This picture is no longer in the history.";
  }

  setInSight(isInSight: boolean): void {
    if (isInSight === this.#isInSight) return;
    this.#isInSight = isInSight;
    this.#canvas.width = isInSight ? FRACTAL.width : 0;
    this.#canvas.height = isInSight ? FRACTAL.height : 0;
    if (isInSight) for (const tile of this.#tiles.values()) void this.#paint(tile);
  }

  async #paint({ index, pixels }: FractalTile): Promise<void> {
    const { tileSize, columns } = FRACTAL;
    const image = await tileToImage(new Uint8Array(pixels), tileSize);
    const [x, y] = [(index % columns) * tileSize, Math.floor(index / columns) * tileSize];
    this.#canvas.getContext("2d")?.putImageData(image, x, y);
  }

  #listen(): void {
    this.#canvas.addEventListener("click", ({ offsetX, offsetY }) => {
      const { clientWidth, clientHeight } = this.#canvas;
      this.#zoomTo(offsetX / clientWidth - 0.5, offsetY / clientHeight - 0.5, ZOOM_STEP);
    });
    const zoomIn = find(this.element, ".zoom-in", HTMLButtonElement);
    const zoomOut = find(this.element, ".zoom-out", HTMLButtonElement);
    zoomIn.addEventListener("click", () => this.#zoomTo(0, 0, ZOOM_STEP));
    zoomOut.addEventListener("click", () => this.#zoomTo(0, 0, 1 / ZOOM_STEP));
    zoomIn.disabled = this.#view.zoom >= LIMITS.maxZoom;
    zoomOut.disabled = this.#view.zoom <= 1;
  }

  /** `right` and `down` from the middle, in widths and heights of the picture. */
  #zoomTo(right: number, down: number, factor: number): void {
    const { x, y, zoom } = this.#view;
    const width = WIDTH_AT_ZOOM_1 / zoom;
    const height = (width * FRACTAL.height) / FRACTAL.width;
    this.#onZoom({
      x: x + right * width,
      y: y - down * height,
      zoom: Math.max(1, Math.min(LIMITS.maxZoom, zoom * factor)),
    });
  }

  #flash({ index, thread }: FractalTile): void {
    const cell = this.#cells[index];
    if (cell === undefined) return;
    setHue(cell, hueOfNumber(thread));
    cell.classList.add("done");
  }

  #showProgress(): void {
    if (this.#tiles.size < FRACTAL.tileCount) {
      this.#progress.textContent = `${this.#tiles.size} of ${FRACTAL.tileCount} tiles`;
      return;
    }
    const threads = this.#threads.size === 1 ? "1 thread" : `${this.#threads.size} threads`;
    const seconds = (this.#computedMs / 1000).toFixed(1);
    this.#progress.textContent = `${describePlace(this.#view)} · ${seconds} s of work on ${threads}`;
  }
}

function describePlace({ x, y, zoom }: FractalView): string {
  const sign = y < 0 ? "−" : "+";
  return `${short(x)} ${sign} ${short(Math.abs(y))}i · ×${zoom >= 1e5 ? zoom.toExponential(1) : Math.round(zoom)}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(5))).replace("-", "−");
}
