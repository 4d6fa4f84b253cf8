// What the primary itself counts, in plain integers. Router and supervisor call it; BoxMetrics shows it.

import type { ConnectionRefusal } from "../lib/connection-refusal.ts";
import { ErrorCounter } from "./error-counter.ts";
import { family, type MetricFamily, single } from "./family.ts";
import { LabelCounter } from "./label-counter.ts";

/** Why a slot was filled again. */
export type RestartReason = "exited" | "killed" | "start_failed" | "hung" | "stalled" | "memory" | "reload";

/** 1024 slots, each for every reason. */
const BY_SLOT = { maxSeries: 8192 };

export class PrimaryCounters {
  readonly #assigned = new LabelCounter(["slot"], BY_SLOT);
  readonly #refused = new LabelCounter(["status"]);
  readonly #admissionRefused = new LabelCounter(["reason"]);
  readonly #workerRestarts = new LabelCounter(["slot", "reason"], BY_SLOT);
  readonly #lost = new LabelCounter(["slot", "reason"], BY_SLOT);
  readonly #errors = new ErrorCounter();
  #accepted = 0;

  get errors(): number {
    return this.#errors.total;
  }

  /** Connections that the router has taken from the port. */
  get accepted(): number {
    return this.#accepted;
  }

  get lost(): number {
    return this.#lost.total;
  }

  routerAccepted(): void {
    this.#accepted++;
  }

  routerAssigned(slot: number): void {
    this.#assigned.add(String(slot));
  }

  routerRefused(status: number): void {
    this.#refused.add(String(status));
  }

  /** A connection was one too many, or came with a bad PROXY protocol header. */
  admissionRefused(reason: ConnectionRefusal | "proxy_header"): void {
    this.#admissionRefused.add(reason);
  }

  workerRestart(slot: number, reason: RestartReason): void {
    this.#workerRestarts.add(String(slot), reason);
  }

  /** A process died with so many sessions open, which nobody was left to count. */
  sessionsLost(slot: number, count: number): void {
    this.#lost.addMany(count, String(slot), "worker_gone");
  }

  /** An error was caught in the primary. `stage` is one of few words that say where. */
  onError(error: unknown, { stage }: { readonly stage: string }): void {
    this.#errors.add(error, stage);
  }

  families(): MetricFamily[] {
    return [
      single("allcores_router_accepted_total", this.#accepted),
      family("allcores_router_assigned_total", this.#assigned.samples()),
      family("allcores_router_refused_total", this.#refused.samples()),
      family("allcores_admission_refused_total", this.#admissionRefused.samples()),
      family("allcores_worker_restarts_total", this.#workerRestarts.samples()),
      family("allcores_disconnects_total", this.#lost.samples()),
      family("allcores_errors_total", this.#errors.samples()),
    ];
  }
}
