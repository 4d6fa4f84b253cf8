// Questions this worker has put to the others, and what has come back.

import type { HubAnsweredMessage } from "../bus/hub-messages.ts";

export interface OpenQuestion {
  /** One worker's answer, or a part of it. */
  readonly onAnswer: (body: Buffer) => void;
  /** All have answered that will. */
  readonly onComplete: () => void;
}

interface Entry extends OpenQuestion {
  /** Workers that have not said their last; `undefined` until the hub has said how many there are. */
  expected: number | undefined;
}

export class OpenQuestions {
  readonly #open = new Map<number, Entry>();

  add(ticket: number, question: OpenQuestion): void {
    this.#open.set(ticket, { ...question, expected: undefined });
  }

  /** Nobody waits for the answers any more. */
  drop(ticket: number): void {
    this.#open.delete(ticket);
  }

  onAsked(ticket: number, workers: number): void {
    const entry = this.#open.get(ticket);
    if (entry === undefined) return;
    entry.expected = workers;
    this.#settle(ticket, entry);
  }

  onAnswered({ ticket, hasBody, isLast }: HubAnsweredMessage, body: Buffer): void {
    const entry = this.#open.get(ticket);
    if (entry === undefined) return;
    if (hasBody) entry.onAnswer(body);
    if (isLast && entry.expected !== undefined) entry.expected--;
    this.#settle(ticket, entry);
  }

  #settle(ticket: number, entry: Entry): void {
    if (entry.expected !== 0) return;
    this.#open.delete(ticket);
    entry.onComplete();
  }
}
