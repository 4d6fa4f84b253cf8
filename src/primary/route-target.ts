// A worker as the router needs it.

import type { HandOver } from "./hand-over.ts";
import type { WorkerLoad } from "./worker-load.ts";

export interface RouteTarget {
  readonly slot: number;
  readonly incarnation: number;
  readonly load: WorkerLoad;
  /** `draining` keeps the clients it has and gets no new ones. */
  readonly state: "ready" | "draining";
  /** It had no file descriptor for a connection a moment ago: others come first. */
  readonly isFull: boolean;
  /**
   * Hands over a connection that nobody reads any more, with the bytes read so far. When the worker dies before it has
   * the connection, or does not take it in time, `giveBack` gets it.
   */
  readonly handOver: HandOver["send"];
}
