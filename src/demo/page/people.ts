// The list of who is here, and the quiet word when somebody comes or goes.

import { hueOfText, setHue } from "./colours.ts";
import { byId } from "./dom.ts";
import { initialOf } from "./message-view.ts";
import type { PresenceDiff, PresenceState } from "./protocol.ts";
import { type Person, Roster } from "./roster.ts";

export class People {
  readonly #roster = new Roster();
  readonly #list = byId("people", HTMLUListElement);
  readonly #whisper = byId("whisper", HTMLElement);
  #you = "";

  reset(state: PresenceState, you: string): void {
    this.#you = you;
    this.#roster.reset(state);
    this.#show();
  }

  /** Returns `false` when something was missed. */
  apply(diff: PresenceDiff): boolean {
    const gone = diff.left.map((user) => this.#roster.nameOf(user));
    const isComplete = this.#roster.apply(diff);
    const come = diff.joined.filter(({ user }) => user !== this.#you).map(({ user }) => this.#roster.nameOf(user));
    this.#say(come, "came in");
    this.#say(gone, "left");
    this.#show();
    return isComplete;
  }

  #say(names: readonly (string | undefined)[], what: string): void {
    const known = names.filter((name) => name !== undefined);
    if (known.length > 0) this.#whisper.textContent = `${known.join(", ")} ${what}.`;
  }

  #show(): void {
    const { people } = this.#roster;
    this.#list.replaceChildren(...people.map((person) => this.#row(person)));
    for (const id of ["people-count", "people-button-count"]) {
      byId(id, HTMLElement).textContent = String(people.length);
    }
  }

  #row({ user, name, count }: Person): HTMLElement {
    const row = document.createElement("li");
    row.dataset.user = user;
    setHue(row, hueOfText(user));
    row.append(
      part("avatar", initialOf(name)),
      part("person", name),
      ...(user === this.#you ? [part("you", "you")] : []),
      ...(count > 1 ? [part("tabs", `${count} tabs`)] : []),
    );
    row.querySelector(".avatar")?.setAttribute("aria-hidden", "true");
    return row;
  }
}

function part(className: string, text: string): HTMLElement {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}
