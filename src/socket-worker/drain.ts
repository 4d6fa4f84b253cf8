// How a socket worker takes its leave: clients are moved away, tasks and requests finish, all by one deadline.

import type { Server } from "socket.io";
import { settledWithin } from "../lib/deadline.ts";
import type { Options } from "../options/options.ts";
import { type EngineClient, moveClients } from "./move-clients.ts";

export interface DrainOptions {
  readonly io: Server;
  readonly options: Options;
  readonly isBusy: (client: EngineClient) => boolean;
  /** Resolves when no HTTP request of the app is in flight any more. */
  readonly requestsDone: () => Promise<void>;
  /** Waits for the CPU tasks of this worker in flight, at most so many milliseconds. */
  readonly drainTasks: (deadlineMs: number) => Promise<void>;
  readonly deadlineMs: number;
}

/** Of the deadline, what is kept for transports to close when clients are busy for as long as they are given. */
const CLOSING_SHARE = 0.2;

export async function drainWorker(drain: DrainOptions): Promise<void> {
  const { io, options, isBusy, requestsDone, drainTasks, deadlineMs } = drain;
  const engine = io.engine as unknown as { readonly clients: Readonly<Record<string, EngineClient>> };
  const clientsGone = moveClients({
    ...options.reload,
    clients: () => Object.values(engine.clients),
    isBusy,
    deadlineMs: deadlineMs * (1 - CLOSING_SHARE),
  });
  await settledWithin(Promise.all([clientsGone, drainTasks(deadlineMs), requestsDone()]), deadlineMs);
}
