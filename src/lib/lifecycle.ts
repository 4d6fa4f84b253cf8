// The one face of every long-lived part: start(), drain(), close(), each safe to call twice.
//
//   idle --start--> starting --> running --drain--> draining --close--> closed
//     \_________________________________________________close___________/

import { AllcoresError } from "../errors.ts";

export type LifecycleState = "idle" | "starting" | "running" | "draining" | "closed";

/** Subclass it and implement the `on...` methods; the states and the "twice gives the same promise" rule live here. */
export abstract class Lifecycle {
  #state: LifecycleState = "idle";
  #started: Promise<void> | undefined;
  #drained: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  get state(): LifecycleState {
    return this.#state;
  }

  /** Brings the part up. A failed start leaves it closed. */
  start(): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(closedError(this.constructor.name));
    this.#started ??= this.#run();
    return this.#started;
  }

  /** Finishes what is in flight and takes nothing new, for at most `deadlineMs` milliseconds. */
  drain(deadlineMs: number): Promise<void> {
    if (this.#state === "closed" || this.#state === "idle") return Promise.resolve();
    this.#enter("draining");
    this.#drained ??= this.onDrain(deadlineMs);
    return this.#drained;
  }

  /** Lets everything go, at once. */
  close(): Promise<void> {
    this.#enter("closed");
    this.#closed ??= this.onClose();
    return this.#closed;
  }

  protected abstract onStart(): Promise<void>;
  protected abstract onClose(): Promise<void>;
  protected onDrain(_deadlineMs: number): Promise<void> {
    return Promise.resolve();
  }

  async #run(): Promise<void> {
    this.#enter("starting");
    try {
      await this.onStart();
    } catch (error) {
      await this.close().catch(() => {});
      throw error;
    }
    if (this.#state === "starting") this.#enter("running");
  }

  #enter(next: LifecycleState): void {
    if (this.#state !== "closed") this.#state = next;
  }
}

function closedError(part: string): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_CLOSED", `${part} is closed. Make a new one.`);
}
