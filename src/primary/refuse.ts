// Answers a connection that no worker will see: a status, one line of text, and a clean close.

import type { Socket } from "node:net";
import { startReading } from "./reading.ts";

export type RefusalStatus = 400 | 408 | 431 | 503;

const REASONS: Record<RefusalStatus, readonly [phrase: string, text: string]> = {
  400: ["Bad Request", "The request line is malformed."],
  408: ["Request Timeout", "The request head did not arrive in time."],
  431: ["Request Header Fields Too Large", "The request head is too large."],
  503: ["Service Unavailable", "No worker is ready. Try again in a moment."],
};

const RETRY_AFTER_SECONDS = 2;

/** How long the client may take to read the answer. */
const LINGER_MS = 2000;

/**
 * Writes the answer and closes. What the client still sends is read and thrown away meanwhile:
 * closing with unread bytes makes the kernel send a reset, which can overtake the answer.
 */
export function refuse(socket: Socket, status: RefusalStatus): void {
  const [phrase, text] = REASONS[status];
  const head = [
    `HTTP/1.1 ${status} ${phrase}`,
    "Connection: close",
    "Content-Type: text/plain",
    `Content-Length: ${text.length + 1}`,
    ...(status === 503 ? [`Retry-After: ${RETRY_AFTER_SECONDS}`] : []),
  ];
  const deadline = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(deadline));
  socket.on("error", () => socket.destroy());
  socket.end(`${head.join("\r\n")}\r\n\r\n${text}\n`);
  startReading(socket);
}
