// Questions on their way: who was asked, who has answered, whom to tell. A worker that dies has answered all it will.

import type { HubWorker } from "./hub-worker.ts";

interface Question {
  readonly asker: HubWorker;
  readonly ticket: number;
  readonly waitingFor: Set<HubWorker>;
}

export class Questions {
  readonly #open = new Map<string, Question>();

  get count(): number {
    return this.#open.size;
  }

  /** Notes a question and tells the asker how many were asked. */
  ask(asker: HubWorker, ticket: number, asked: readonly HubWorker[]): void {
    asker.link.send({ type: "hub:asked", ticket, workers: asked.length });
    if (asked.length > 0) this.#open.set(nameOf(asker.slot, ticket), { asker, ticket, waitingFor: new Set(asked) });
  }

  answer(from: HubWorker, to: number, ticket: number, isLast: boolean, body: Buffer): void {
    const question = this.#open.get(nameOf(to, ticket));
    if (question?.waitingFor.has(from) !== true) return;
    question.asker.link.send({ type: "hub:answered", ticket, hasBody: true, isLast }, body);
    if (isLast) this.#settle(question, from);
  }

  /** The worker is gone: it asks nothing any more and owes no answer. */
  drop(worker: HubWorker): void {
    for (const [name, question] of this.#open) {
      if (question.asker === worker) this.#open.delete(name);
      else if (question.waitingFor.has(worker)) {
        question.asker.link.send({ type: "hub:answered", ticket: question.ticket, hasBody: false, isLast: true });
        this.#settle(question, worker);
      }
    }
  }

  #settle(question: Question, worker: HubWorker): void {
    question.waitingFor.delete(worker);
    if (question.waitingFor.size === 0) this.#open.delete(nameOf(question.asker.slot, question.ticket));
  }
}

function nameOf(slot: number, ticket: number): string {
  return `${slot}:${ticket}`;
}
