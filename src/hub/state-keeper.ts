// Carries the hub's state over a restart of the box: takes up what the last box saved, saves when this one stops.
// Whatever goes wrong is logged, and costs the clients their recovery, never the box its start or its stop.

import { errorFields, type Logger } from "../lib/logger.ts";
import type { Hub } from "./hub.ts";
import type { HubCompanion } from "./hub-companion.ts";
import type { PresenceState } from "./presence-state.ts";
import type { StateFile } from "./state-file.ts";

export interface StateKeeperOptions {
  readonly hub: Hub;
  readonly file: StateFile;
  readonly log: Logger;
}

export class StateKeeper {
  readonly #options: StateKeeperOptions;
  /** `read`: what is in the file may still be read by the next box, if this one never serves. */
  #file: "unread" | "read" | "gone" = "unread";

  #companion: HubCompanion | undefined;
  #presence: PresenceState | undefined;

  constructor(options: StateKeeperOptions) {
    this.#options = options;
  }

  /** What the companion knows is kept as well. */
  accompany(companion: HubCompanion): void {
    this.#companion = companion;
  }

  /** Call it before the first worker comes. */
  async takeUp(): Promise<void> {
    const { hub, file, log } = this.#options;
    const startedAt = performance.now();
    try {
      const state = await file.read(Date.now());
      if (state === undefined) return;
      hub.restore(state, Date.now());
      this.#presence = state.presence;
      this.#file = "read";
      const { detached: sessions, logMessages: messages } = hub.stats();
      log.info({ sessions, messages, durationMs: sinceMs(startedAt) }, "the state of the last box is taken up");
    } catch (error) {
      log.warn(errorFields(error), "clients of the last box start afresh");
    }
  }

  /** Call it before the first client is served: from then on nobody else may take up what this box has. */
  beginServing(): void {
    const { hub, file, log } = this.#options;
    const isRead = this.#file === "read";
    this.#file = "gone";
    if (!isRead) return;
    try {
      file.consume();
      if (this.#presence !== undefined) this.#companion?.restore(this.#presence);
    } catch (error) {
      hub.forgetFormerLives();
      log.warn(errorFields(error), "clients of the last box start afresh");
    }
  }

  /** Call it when all workers are gone. */
  async save(deadlineMs: number): Promise<void> {
    const { hub, file, log } = this.#options;
    // A box that never served has nothing of its own, and leaves what it found to the next one.
    if (this.#file !== "gone") return;
    const startedAt = performance.now();
    const now = Date.now();
    const presence = this.#companion?.snapshot();
    const state = { ...hub.snapshot(now), ...(presence !== undefined && { presence }) };
    if (state.sessions.length === 0 && !presence?.rooms.length) return;
    try {
      await file.write(state, now, AbortSignal.timeout(Math.ceil(deadlineMs)));
      const { detached: sessions, logMessages: messages } = hub.stats();
      log.info({ sessions, messages, durationMs: sinceMs(startedAt) }, "the state of the hub is saved");
    } catch (error) {
      log.warn(errorFields(error), "clients will start afresh in the next box");
    }
  }
}

function sinceMs(startedAt: number): number {
  return Math.round(performance.now() - startedAt);
}
