// The pictures on the page. Lets those out of sight rest, and asks for the tiles that one in sight misses: after a late
// arrival, a lost worker or a busy pool. One picture at a time, and only when nothing has come for a while.

import type { ChatConnection } from "./connection.ts";
import { FractalFigure } from "./fractal-figure.ts";
import { isPassing } from "./kind-words.ts";
import type { Answer, Drawn, FractalTile, FractalView } from "./protocol.ts";

const LOOK_EVERY_MS = 500;
const SILENCE_MS = 2500;
const ANSWER_TIMEOUT_MS = 60_000;
const RETRY_AFTER_MS = 3000;
/** A picture is painted before it is scrolled into sight. */
const ROOT_MARGIN = "300px";

export class Gallery {
  readonly #socket: ChatConnection;
  readonly #onZoom: (view: FractalView) => void;
  readonly #figures = new Map<string, FractalFigure>();
  readonly #inSight = new Set<FractalFigure>();
  readonly #observer = new IntersectionObserver((entries) => this.#onSight(entries), { rootMargin: ROOT_MARGIN });
  #isAsking = false;
  #notBefore = 0;

  constructor(socket: ChatConnection, onZoom: (view: FractalView) => void) {
    this.#socket = socket;
    this.#onZoom = onZoom;
    socket.on("tile", (tile: FractalTile) => this.#figures.get(tile.messageId)?.add(tile));
    setInterval(() => void this.#look(), LOOK_EVERY_MS);
  }

  /** A new picture, whose tiles are on their way. */
  add(messageId: string, view: FractalView): HTMLElement {
    const figure = new FractalFigure(messageId, view, this.#onZoom);
    figure.element.dataset.messageId = messageId;
    this.#figures.set(messageId, figure);
    this.#observer.observe(figure.element);
    return figure.element;
  }

  remove(messageId: string): void {
    const figure = this.#figures.get(messageId);
    if (figure === undefined) return;
    this.#observer.unobserve(figure.element);
    this.#inSight.delete(figure);
    this.#figures.delete(messageId);
  }

  clear(): void {
    for (const messageId of [...this.#figures.keys()]) this.remove(messageId);
  }

  /** Nobody may be drawing for this page: what is missing is asked for without waiting. */
  hurry(): void {
    for (const figure of this.#figures.values()) figure.lastNewsAt = Number.NEGATIVE_INFINITY;
  }

  #onSight(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const figure = this.#figures.get((target as HTMLElement).dataset.messageId ?? "");
      if (figure === undefined) continue;
      figure.setInSight(isIntersecting);
      if (isIntersecting) this.#inSight.add(figure);
      else this.#inSight.delete(figure);
    }
  }

  async #look(): Promise<void> {
    const now = performance.now();
    if (this.#isAsking || now < this.#notBefore || !this.#socket.connected) return;
    const silent = [...this.#inSight].filter(({ lastNewsAt }) => now - lastNewsAt > SILENCE_MS);
    const figure = silent.find(({ missing }) => missing.length > 0);
    if (figure === undefined) return;

    this.#isAsking = true;
    figure.lastNewsAt = now;
    const { messageId, missing: tiles } = figure;
    const answer = await this.#socket
      .timeout(ANSWER_TIMEOUT_MS)
      .emitWithAck("draw", { messageId, tiles })
      .catch(() => undefined);
    this.#isAsking = false;
    this.#onAnswer(figure, answer);
  }

  #onAnswer(figure: FractalFigure, answer: Answer<Drawn> | undefined): void {
    if (answer !== undefined && !("error" in answer)) return;
    if (answer !== undefined && !isPassing(answer.error)) figure.giveUp();
    else this.#notBefore = performance.now() + RETRY_AFTER_MS;
  }
}
