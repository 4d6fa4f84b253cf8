// What an app is given beside Socket.IO's server: the box it runs in.

import type { Registry } from "prom-client";
import type { CpuClient } from "../cpu/client.ts";
import type { Logger } from "../lib/logger.ts";
import type { Options } from "../options/options.ts";
import type { PresenceClient } from "../presence/presence-client.ts";

export interface Box {
  /** Number of this socket worker, 0 to `options.workers` - 1. */
  readonly slot: number;
  /** How often the slot has been filled: 1 for the first process, one more for each successor. */
  readonly incarnation: number;
  /** All options, resolved and frozen. */
  readonly options: Options;
  readonly log: Logger;
  /** Runs CPU-heavy tasks in the threads of the box. */
  readonly cpu: Pick<CpuClient, "run">;
  /** Who is online, on the whole box. */
  readonly presence: Pick<PresenceClient, "join" | "leave" | "list" | "count" | "on" | "once" | "off">;
  /** Metrics of the app's own: whatever is registered here appears in `/metrics` of the box. */
  readonly metrics: Registry;
}
