// How a socket worker takes its leave: tasks finish, clients are moved away, requests end, all by one deadline.

import type { Server } from "socket.io";
import { settledWithin } from "../lib/deadline.ts";

export interface DrainOptions {
  readonly io: Server;
  /** Resolves when no HTTP request of the app is in flight any more. */
  readonly requestsDone: () => Promise<void>;
  /** Waits for the CPU tasks of this worker in flight, at most so many milliseconds. */
  readonly drainTasks: (deadlineMs: number) => Promise<void>;
  readonly deadlineMs: number;
}

/** Of the deadline, what is kept for the clients when tasks take all they are given. */
const CLOSING_SHARE = 0.2;

export async function drainWorker({ io, requestsDone, drainTasks, deadlineMs }: DrainOptions): Promise<void> {
  const closingMs = deadlineMs * CLOSING_SHARE;
  await drainTasks(deadlineMs - closingMs);
  await settledWithin(Promise.all([moveClients(io), requestsDone()]), closingMs);
}

/**
 * Closes the transports, not the sockets: a client whose transport closes comes back by itself, one that is told
 * `disconnect` does not. What is queued for a client is written before.
 */
function moveClients(io: Server): Promise<void> {
  const { clients } = io.engine as unknown as { clients: Record<string, EngineClient> };
  const gone = Object.values(clients).map(
    (client) =>
      new Promise<void>((resolve) => {
        client.once("close", () => resolve());
        client.close();
      }),
  );
  return Promise.all(gone).then(() => {});
}

interface EngineClient {
  once(event: "close", listener: () => void): void;
  close(): void;
}
