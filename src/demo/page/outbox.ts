// What this page has sent and the box has not confirmed. Each message keeps its id, so sending it again after a
// reconnect never makes it twice.

import type { Connection } from "./connection.ts";
import { isPassing, kindWords } from "./kind-words.ts";
import type { MessageList } from "./message-list.ts";
import type { Answer, Author, Sent } from "./protocol.ts";
import { randomId } from "./remember.ts";

const ANSWER_TIMEOUT_MS = 10_000;

const PLAIN_NOTES = {
  busy: "Shown as plain text: the box is busy.",
  failed: "Shown as plain text: this could not be rendered.",
} as const;

export class Outbox {
  readonly #connection: Connection;
  readonly #list: MessageList;
  /** By id, oldest first. */
  readonly #waiting = new Map<string, string>();

  constructor(connection: Connection, list: MessageList) {
    this.#connection = connection;
    this.#list = list;
  }

  send(author: Author, text: string): void {
    const id = randomId();
    this.#list.addWaiting(id, author, text);
    this.#waiting.set(id, text);
    void this.#deliver(id, text);
  }

  /** After a reconnect. */
  resend(): void {
    for (const [id, text] of this.#waiting) void this.#deliver(id, text);
  }

  /** Another room: what was not sent is not said there. */
  clear(): void {
    this.#waiting.clear();
  }

  async #deliver(id: string, text: string): Promise<void> {
    if (!this.#connection.isJoined) return;
    const answer: Answer<Sent> | undefined = await this.#connection.socket
      .timeout(ANSWER_TIMEOUT_MS)
      .emitWithAck("send", { id, text })
      .catch(() => undefined);
    if (!this.#waiting.has(id)) return;
    if (answer === undefined) this.#onSilence(id, text);
    else if ("error" in answer) this.#fail(id, text, kindWords(answer.error), isPassing(answer.error));
    else this.#confirm(id, answer);
  }

  #confirm(id: string, { message, plain }: Sent): void {
    this.#waiting.delete(id);
    this.#list.add(message);
    if (plain !== undefined) this.#list.viewOf(id)?.showNote(PLAIN_NOTES[plain]);
  }

  /** Without a connection it waits for the next one. */
  #onSilence(id: string, text: string): void {
    if (this.#connection.isJoined) this.#fail(id, text, "The box did not answer.", true);
  }

  #fail(id: string, text: string, why: string, mayRetry: boolean): void {
    this.#waiting.delete(id);
    const view = this.#list.viewOf(id);
    const retry = (): void => {
      view?.showWaiting(text);
      this.#waiting.set(id, text);
      void this.#deliver(id, text);
    };
    view?.showFailed(why, mayRetry ? retry : undefined);
  }
}
