// The way in: name, room, and a token when the box asks for one.

import { byId, setText } from "./dom.ts";
import { kindWords } from "./kind-words.ts";
import type { JoinRequest, Refusal } from "./protocol.ts";
import { randomId, recall, remember, takeTokenFromAddress } from "./remember.ts";

export type OnEnter = (request: JoinRequest, token: string | undefined) => void;

export class Door {
  readonly #door = byId("door", HTMLElement);
  readonly #error = byId("door-error", HTMLElement);
  readonly #button = byId("door-button", HTMLButtonElement);
  readonly #name = byId("name", HTMLInputElement);
  readonly #room = byId("room", HTMLInputElement);
  readonly #token = byId("token", HTMLInputElement);
  readonly #nameField = byId("name-field", HTMLElement);
  readonly #tokenField = byId("token-field", HTMLElement);
  readonly #key: string;
  readonly #onEnter: OnEnter;

  constructor(onEnter: OnEnter) {
    this.#onEnter = onEnter;
    const { name = "", room, key = randomId() } = recall();
    this.#key = key;
    this.#name.value = name;
    this.#room.value = new URLSearchParams(location.search).get("room") ?? room ?? this.#room.value;
    byId("door-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#enter();
    });
    const token = takeTokenFromAddress();
    if (token !== undefined) {
      this.#token.value = token;
      this.#askFor("token");
    }
    this.#focusFirst();
  }

  close(): void {
    this.#setBusy(false);
    setText(this.#error, "");
    this.#door.hidden = true;
  }

  /** While somebody waits to be let in. */
  say(words: string): void {
    setText(this.#error, words);
  }

  /** With what went wrong, if anything did. */
  open(refusal?: Refusal): void {
    this.#setBusy(false);
    this.#door.hidden = false;
    if (refusal?.code === "ALLCORES_ERR_UNAUTHORIZED") this.#askFor("token");
    if (refusal?.code === "CHAT_ERR_NAME") this.#askFor("name");
    setText(this.#error, refusal === undefined ? "" : kindWords(refusal));
    this.#focusFirst();
  }

  #enter(): void {
    const [name, room] = [this.#name.value.trim(), this.#room.value.trim()];
    const token = this.#tokenField.hidden ? undefined : this.#token.value.trim();
    if (name === "" && !this.#nameField.hidden) {
      this.#complain("Tell the others your name.", this.#name);
    } else if (room === "") {
      this.#complain("Say which room.", this.#room);
    } else {
      remember({ name, room, key: this.#key });
      this.#setBusy(true);
      this.#onEnter({ name, room, key: this.#key }, token);
    }
  }

  #complain(text: string, input: HTMLInputElement): void {
    setText(this.#error, text);
    input.focus();
  }

  /** A token says the name, too. */
  #askFor(what: "name" | "token"): void {
    this.#tokenField.hidden = what !== "token";
    this.#nameField.hidden = what === "token";
  }

  #setBusy(isBusy: boolean): void {
    this.#button.disabled = isBusy;
    this.#button.textContent = isBusy ? "Joining…" : "Join";
  }

  #focusFirst(): void {
    const inputs = [this.#name, this.#token, this.#room].filter((input) => input.offsetParent !== null);
    (inputs.find(({ value }) => value === "") ?? this.#button).focus();
  }
}
