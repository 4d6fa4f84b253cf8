// The questions of this worker to other servers that are still open, and who waits for them.

import type { FanoutAnswersMessage, FanoutAskMessage } from "../bus/fanout-messages.ts";
import { fromWireError } from "../bus/messages.ts";
import { type Deferred, defer, withDeadline } from "../lib/deadline.ts";
import type { WorkerLink } from "./worker-link.ts";

/** What the other servers said, and how many of them said nothing in time. */
export interface Answers<T> {
  readonly values: readonly T[];
  readonly missing: number;
}

/** The primary answers by the deadline; only one that hangs is given up on after this much more. */
const GRACE_MS = 1000;

export class WorkerQuestions {
  readonly #link: WorkerLink;
  readonly #open = new Map<string, Deferred<Answers<object>>>();
  readonly #ackHandlers = new Map<string, (ack: unknown) => void>();

  constructor(link: WorkerLink) {
    this.#link = link;
  }

  /** Rejects with what kept the question from being put, or with `ALLCORES_ERR_DEADLINE` when the primary hangs. */
  async ask(question: Omit<FanoutAskMessage, "type">, encode: () => Buffer): Promise<Answers<object>> {
    const { requestId, deadlineMs } = question;
    const answered = defer<Answers<object>>();
    this.#open.set(requestId, answered);
    try {
      const failure = this.#link.send({ type: "fanoutAsk", ...question }, encode);
      if (failure !== undefined) throw failure;
      return await withDeadline(answered.promise, deadlineMs + GRACE_MS, "Asking the other servers");
    } finally {
      this.#open.delete(requestId);
    }
  }

  /** Hands the acks of single clients to `onAck` until the deadline. */
  passAcks(requestId: string, deadlineMs: number, onAck: (ack: unknown) => void): void {
    this.#ackHandlers.set(requestId, onAck);
    setTimeout(() => this.#ackHandlers.delete(requestId), deadlineMs).unref();
  }

  onAnswers({ requestId, missing, error }: FanoutAnswersMessage, body: Buffer): void {
    const question = this.#open.get(requestId);
    if (error !== undefined) question?.reject(fromWireError(error));
    else question?.resolve({ values: JSON.parse(body.toString()) as object[], missing });
  }

  onClientAck(requestId: string, response: object): void {
    this.#ackHandlers.get(requestId)?.((response as { packet?: unknown }).packet);
  }
}
