// The one message that goes to a socket worker over Node's IPC channel, since it names the way to the bus.

import type { Options } from "../options/options.ts";

export interface WorkerInit {
  readonly type: "allcores:init";
  readonly slot: number;
  readonly incarnation: number;
  readonly busPath: string;
  readonly busSecret: string;
  /** Path of the router's unix socket, for requests that are another worker's. */
  readonly relayPath: string;
  readonly appUrl: string;
  readonly options: Options;
}

/**
 * The worker asks, the primary answers. Sent unasked, the message could come before the worker listens: Node keeps
 * early messages only until somebody listens, and that may be a library the app imports.
 */
export const WORKER_INIT_REQUEST = { type: "allcores:initRequest" } as const;

export function isWorkerInitRequest(value: unknown): boolean {
  return typeof value === "object" && value !== null && (value as { type?: unknown }).type === WORKER_INIT_REQUEST.type;
}

/** Foreign messages are ignored: an app may use the channel too. */
export function isWorkerInit(value: unknown): value is WorkerInit {
  return typeof value === "object" && value !== null && (value as { type?: unknown }).type === "allcores:init";
}
