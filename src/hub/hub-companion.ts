// A part of the primary whose words have their place among the messages, and whose state is kept with the hub's.

import type { Peer } from "../bus/peers.ts";
import type { PresenceState } from "./presence-state.ts";

export interface HubCompanion {
  /** A message that the worker sent is about to get its place. */
  beforeOrder(peer: Peer): void;
  /** Called when all workers are gone. */
  snapshot(): PresenceState;
  /** Called before the first client is served. */
  restore(state: PresenceState): void;
}
