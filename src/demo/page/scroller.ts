// Keeps the newest message in view for who is at the end, and leaves alone who is reading further up.

import { byId } from "./dom.ts";

const NEAR_PX = 80;

export class Scroller {
  readonly #scroller = byId("scroller", HTMLElement);
  readonly #newer = byId("newer", HTMLButtonElement);
  #isAtEnd = true;

  constructor(onAtEnd: () => void) {
    this.#scroller.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
      this.#isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
      if (!this.#isAtEnd) return;
      this.#newer.hidden = true;
      onAtEnd();
    });
    this.#newer.addEventListener("click", () => this.toEnd());
    // Pictures, a screen keyboard or a turned phone change heights without a scroll event.
    const observer = new ResizeObserver(() => {
      if (this.#isAtEnd) this.toEnd();
    });
    observer.observe(this.#scroller);
    observer.observe(byId("log", HTMLElement));
  }

  get isAtEnd(): boolean {
    return this.#isAtEnd;
  }

  toEnd(): void {
    this.#isAtEnd = true;
    this.#newer.hidden = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** A message of somebody else came. */
  onNew(): void {
    if (this.#isAtEnd) this.toEnd();
    else this.#newer.hidden = false;
  }
}
