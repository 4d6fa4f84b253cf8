// Who is typing: said every few seconds while somebody does, forgotten when it is not said again.

import type { ChatConnection } from "./connection.ts";
import { byId } from "./dom.ts";
import type { Author } from "./protocol.ts";

const SAY_EVERY_MS = 2000;
const FORGET_AFTER_MS = 4000;

export class Typing {
  readonly #socket: ChatConnection;
  readonly #line = byId("typing", HTMLElement);
  readonly #typists = new Map<string, { readonly name: string; readonly timer: number }>();
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(socket: ChatConnection) {
    this.#socket = socket;
    socket.on("typing", (author) => this.#heard(author));
  }

  /** This person pressed a key. */
  say(): void {
    const now = performance.now();
    if (now - this.#saidAt < SAY_EVERY_MS || !this.#socket.connected) return;
    this.#saidAt = now;
    this.#socket.volatile.emit("typing");
  }

  /** The message is there: its author is not typing any more. */
  stop(user: string): void {
    clearTimeout(this.#typists.get(user)?.timer);
    if (this.#typists.delete(user)) this.#show();
  }

  /** This person sent something: the next key is news again. */
  rest(): void {
    this.#saidAt = Number.NEGATIVE_INFINITY;
  }

  clear(): void {
    for (const user of [...this.#typists.keys()]) this.stop(user);
  }

  #heard({ user, name }: Author): void {
    clearTimeout(this.#typists.get(user)?.timer);
    const timer = setTimeout(() => this.stop(user), FORGET_AFTER_MS);
    this.#typists.set(user, { name, timer });
    this.#show();
  }

  #show(): void {
    const names = [...this.#typists.values()].map(({ name }) => name);
    const text = sentence(names);
    // Saying the same again would make screen readers repeat it.
    if (this.#line.textContent !== text) this.#line.textContent = text;
    this.#line.classList.toggle("active", names.length > 0);
  }
}

function sentence(names: readonly string[]): string {
  const [first, second, ...others] = names;
  if (first === undefined) return "";
  if (second === undefined) return `${first} is typing`;
  return others.length === 0 ? `${first} and ${second} are typing` : `${first}, ${second} and others are typing`;
}
