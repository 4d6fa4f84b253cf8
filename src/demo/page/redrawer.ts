// Asks for the tiles that a picture misses: after a late arrival, after a lost worker, after a busy pool.
// One picture at a time, only those on the screen, and only when nothing has come for a while.

import type { ChatConnection } from "./connection.ts";
import type { FractalFigure } from "./fractal-figure.ts";

const LOOK_EVERY_MS = 500;
const SILENCE_MS = 2500;
const ANSWER_TIMEOUT_MS = 60_000;
const RETRY_AFTER_MS = 3000;

export class Redrawer {
  readonly #socket: ChatConnection;
  readonly #visible = new Set<FractalFigure>();
  readonly #figures = new WeakMap<Element, FractalFigure>();
  readonly #observer = new IntersectionObserver((entries) => this.#onVisibility(entries));
  #isBusy = false;
  #notBefore = 0;

  constructor(socket: ChatConnection) {
    this.#socket = socket;
    setInterval(() => void this.#look(), LOOK_EVERY_MS);
  }

  /** `isNew`: its tiles are on their way. */
  watch(figure: FractalFigure, isNew: boolean): void {
    if (!isNew) figure.lastNewsAt = Number.NEGATIVE_INFINITY;
    this.#figures.set(figure.element, figure);
    this.#observer.observe(figure.element);
  }

  #onVisibility(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const figure = this.#figures.get(target);
      if (figure === undefined) continue;
      if (isIntersecting) this.#visible.add(figure);
      else this.#visible.delete(figure);
      if (!target.isConnected) this.#observer.unobserve(target);
    }
  }

  async #look(): Promise<void> {
    const now = performance.now();
    if (this.#isBusy || now < this.#notBefore || !this.#socket.connected) return;
    const figure = [...this.#visible].find(
      ({ missing, lastNewsAt }) => missing.length > 0 && now - lastNewsAt > SILENCE_MS,
    );
    if (figure === undefined) return;

    this.#isBusy = true;
    figure.lastNewsAt = now;
    const { messageId, missing } = figure;
    const request = { messageId, tiles: missing };
    const wasDrawn = await this.#socket
      .timeout(ANSWER_TIMEOUT_MS)
      .emitWithAck("draw", request)
      .then((answer) => !("error" in answer))
      .catch(() => false);
    if (!wasDrawn) this.#notBefore = performance.now() + RETRY_AFTER_MS;
    this.#isBusy = false;
  }
}
