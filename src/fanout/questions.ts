// Requests of this box's workers that the other servers are answering: counts the responses in, answers the worker
// once, by the deadline at the latest.

import type { FanoutAskMessage } from "../bus/fanout-messages.ts";
import { toWireError } from "../bus/messages.ts";
import type { Peer } from "../bus/peers.ts";
import { AllcoresError } from "../errors.ts";
import { sendBounded } from "./bounded-send.ts";
import { decodeResponse } from "./wire-format.ts";

interface Question {
  readonly asker: Peer;
  readonly message: FanoutAskMessage;
  readonly timer: NodeJS.Timeout;
  readonly responses: string[];
  /** How many servers were asked; unknown until Redis says so, and they may answer before it does. */
  servers: number | undefined;
  isAnswered: boolean;
}

const MAX_OPEN = 10_000;

export class Questions {
  readonly #open = new Map<string, Question>();

  /** `put` puts the question and resolves to the number of servers that heard it. */
  begin(asker: Peer, message: FanoutAskMessage, put: () => Promise<number>): void {
    const { requestId, deadlineMs } = message;
    if (this.#open.size >= MAX_OPEN) {
      answer(asker, message, [], 0, overflowError(`${MAX_OPEN} questions to other servers are open already.`));
      return;
    }
    const timer = setTimeout(() => this.#expire(requestId), deadlineMs);
    const question: Question = { asker, message, timer, responses: [], servers: undefined, isAnswered: false };
    this.#open.set(requestId, question);
    put().then(
      (servers) => {
        question.servers = servers;
        this.#answerIfComplete(question);
      },
      (error: unknown) => {
        this.#forget(question);
        answer(asker, message, [], 0, error);
      },
    );
  }

  /** Takes what came in on a response channel: it may well be the answer to somebody else's question. */
  onResponse(body: Buffer): void {
    if (this.#open.size === 0) return;
    const response = decodeResponse(body);
    const question = response && this.#open.get(response.requestId);
    if (question === undefined) return;

    if (response?.isClientAck) {
      const { requestId } = question.message;
      sendBounded(question.asker.connection, { type: "fanoutClientAck", requestId }, body);
    } else {
      question.responses.push(body.toString());
      this.#answerIfComplete(question);
    }
  }

  leave(asker: Peer): void {
    for (const question of this.#open.values()) if (question.asker === asker) this.#forget(question);
  }

  close(): void {
    for (const question of this.#open.values()) this.#forget(question);
  }

  #answerIfComplete(question: Question): void {
    const { asker, message, responses, servers, isAnswered } = question;
    if (isAnswered || servers === undefined || responses.length < servers) return;
    question.isAnswered = true;
    answer(asker, message, responses, 0);
    // Clients may still be at it; the deadline ends that.
    if (!message.forAcks || servers === 0) this.#forget(question);
  }

  #expire(requestId: string): void {
    const question = this.#open.get(requestId);
    if (question === undefined) return;
    this.#open.delete(requestId);
    const { asker, message, responses, servers = responses.length, isAnswered } = question;
    if (!isAnswered) answer(asker, message, responses, servers - responses.length);
  }

  #forget({ message, timer }: Question): void {
    clearTimeout(timer);
    this.#open.delete(message.requestId);
  }
}

function answer(
  { connection }: Peer,
  { requestId }: FanoutAskMessage,
  responses: readonly string[],
  missing: number,
  error?: unknown,
): void {
  const type = "fanoutAnswers";
  const failure = error === undefined ? {} : { error: toWireError(error) };
  const body = Buffer.from(`[${responses.join()}]`);
  if (sendBounded(connection, { type, requestId, missing, ...failure }, body)) return;
  const tooMuch = overflowError(`The answers of the other servers (${body.length} bytes) are too much for the bus.`);
  connection.send({ type, requestId, missing, error: toWireError(tooMuch) });
}

function overflowError(message: string): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_FANOUT_OVERFLOW", message);
}
