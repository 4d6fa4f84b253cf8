// Where messages are written. Enter sends; Shift+Enter, and Enter on a screen keyboard's own terms, break the line.

import { byId } from "./dom.ts";

export interface ComposerHooks {
  readonly onText: (text: string) => void;
  readonly onTyping: () => void;
}

export class Composer {
  readonly #form = byId("composer", HTMLFormElement);
  readonly #text = byId("text", HTMLTextAreaElement);
  readonly #hooks: ComposerHooks;

  constructor(hooks: ComposerHooks) {
    this.#hooks = hooks;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener("keydown", (event) => {
      // While an input method is composing, Enter picks a word.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener("input", () => {
      this.#fit();
      if (this.#text.value.trim() !== "") hooks.onTyping();
    });
  }

  focus(): void {
    this.#text.focus();
  }

  #submit(): void {
    const text = this.#text.value.trim();
    if (text === "") return;
    this.#text.value = "";
    this.#fit();
    this.#hooks.onText(text);
    this.focus();
  }

  /** As high as its text, within what the style sheet allows. */
  #fit(): void {
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight + 2}px`;
  }
}
