// What an app is given beside Socket.IO's server: the box it runs in.

import type { Registry } from "prom-client";
import type { Logger } from "../lib/logger.ts";
import type { Options } from "../options/options.ts";

export interface Box {
  /** Number of this socket worker, 0 to `options.workers` - 1. */
  readonly slot: number;
  /** How often the slot has been filled: 1 for the first process, one more for each successor. */
  readonly incarnation: number;
  /** All options, resolved and frozen. */
  readonly options: Options;
  readonly log: Logger;
  /** Metrics of the app's own: whatever is registered here appears in `/metrics` of the box. */
  readonly metrics: Registry;
}
