// Answers a connection that no worker will see: a status, one line of text, and a clean close.

import type { Socket } from "node:net";
import { type ConnectionRefusal, httpAnswer, REFUSAL_ANSWERS, REFUSAL_BYTES } from "../lib/connection-refusal.ts";
import { startReading } from "../lib/reading.ts";

export type RefusalStatus = 400 | 408 | 431 | 503;

/** A status, or a limit with a status of its own. */
export type RefusalReason = RefusalStatus | ConnectionRefusal;

const TEXTS: Record<RefusalStatus, readonly [phrase: string, text: string]> = {
  400: ["Bad Request", "The request line is malformed."],
  408: ["Request Timeout", "The request head did not arrive in time."],
  431: ["Request Header Fields Too Large", "The request head is too large."],
  503: ["Service Unavailable", "No worker is ready. Try again in a moment."],
};

const RETRY_AFTER_SECONDS = 2;

const ANSWERS: ReadonlyMap<RefusalReason, Buffer> = new Map<RefusalReason, Buffer>([
  ...REFUSAL_BYTES,
  ...([400, 408, 431, 503] as const).map((status) => [status, answerWith(status)] as const),
]);

/** How long the client may take to read the answer. */
const LINGER_MS = 2000;

/** Past so many that have not closed their side yet, a connection is closed without waiting for the client. */
const MAX_LINGERING = 1000;

let lingering = 0;

/**
 * Writes the answer and closes. What the client still sends is read and thrown away meanwhile:
 * closing with unread bytes makes the kernel send a reset, which can overtake the answer.
 */
export function refuse(socket: Socket, reason: RefusalReason): void {
  if (socket.destroyed) return;
  const deadline = setTimeout(() => socket.destroy(), lingering < MAX_LINGERING ? LINGER_MS : 0);
  lingering++;
  socket.once("close", () => {
    clearTimeout(deadline);
    lingering--;
  });
  socket.on("error", () => socket.destroy());
  socket.end(ANSWERS.get(reason) ?? "");
  startReading(socket);
}

/** The status that a refusal is answered with. */
export function statusOf(reason: RefusalReason): number {
  return typeof reason === "number" ? reason : REFUSAL_ANSWERS[reason].status;
}

function answerWith(status: RefusalStatus): Buffer {
  const [phrase, text] = TEXTS[status];
  const retryAfter = status === 503 ? [`Retry-After: ${RETRY_AFTER_SECONDS}`] : [];
  return httpAnswer(`${status} ${phrase}`, ["Content-Type: text/plain", ...retryAfter], `${text}\n`);
}
