// The worker's end of the way to the primary, as far as the fan-out uses it. What does not fit is lost and counted.

import type { BusConnection } from "../bus/connection.ts";
import type { FanoutMessage } from "../bus/fanout-messages.ts";
import { AllcoresError, toError } from "../errors.ts";
import { errorFields, type Logger } from "../lib/logger.ts";
import { sendBounded } from "./bounded-send.ts";

export interface WorkerLinkOptions {
  readonly bus: BusConnection;
  readonly log: Logger;
}

export class WorkerLink {
  readonly #bus: BusConnection;
  readonly #log: Logger;
  #lost = 0;

  constructor({ bus, log }: WorkerLinkOptions) {
    this.#bus = bus;
    this.#log = log;
  }

  /** Returns why the message was lost, if it was. Never throws, even when `encode` does. */
  send(message: FanoutMessage, encode: () => Buffer | undefined = () => undefined): Error | undefined {
    try {
      if (sendBounded(this.#bus, message, encode())) {
        this.#reportLost();
        return undefined;
      }
      this.#lost++;
      return new AllcoresError("ALLCORES_ERR_FANOUT_OVERFLOW", "The primary does not keep up with this worker.");
    } catch (error) {
      this.#lost++;
      this.#log.warn(errorFields(error), "a message cannot be encoded for other servers and reaches this box alone");
      return toError(error);
    }
  }

  /** Told when there is room again, and not with every message that is lost. */
  #reportLost(): void {
    if (this.#lost > 0) this.#bus.send({ type: "fanoutLost", count: this.#lost });
    this.#lost = 0;
  }
}
