// Tells the box what this person has really seen: the end of the list, on a page that is in front.

import type { Connection } from "./connection.ts";
import type { MessageList } from "./message-list.ts";
import type { Scroller } from "./scroller.ts";

const AT_MOST_EVERY_MS = 800;

export class ReadReceipts {
  readonly #connection: Connection;
  readonly #list: MessageList;
  readonly #scroller: Scroller;
  #told: string | undefined;
  #timer: number | undefined;

  constructor(connection: Connection, list: MessageList, scroller: Scroller) {
    this.#connection = connection;
    this.#list = list;
    this.#scroller = scroller;
    document.addEventListener("visibilitychange", () => this.update());
  }

  /** Something new is on the screen, or the screen came to the front. */
  update(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#tell();
    }, AT_MOST_EVERY_MS);
  }

  #tell(): void {
    const last = this.#list.last?.id;
    const isSeen = document.visibilityState === "visible" && this.#scroller.isAtEnd;
    if (!isSeen || last === undefined || last === this.#told || !this.#connection.isJoined) return;
    this.#told = last;
    this.#connection.socket.emit("seen", last);
  }
}
