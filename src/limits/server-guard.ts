// What all guarded connections of one Socket.IO server share: the limits, who may come in, and where refusals are told.

import type { Server } from "socket.io";
import type { Authenticate } from "../auth/authenticate.ts";
import { errorFields, type Logger } from "../lib/logger.ts";
import type { Options } from "../options/options.ts";
import { TokenBucket } from "./rate-limit.ts";
import type { OnRefusal, Refusal, RefusalInfo, RefusalReason } from "./refusal.ts";

/** A client chooses how often a handler fails: past this rate failures are counted but not logged. */
const LOG_LIMIT = { perSecond: 10, burst: 50 };

/** What a client is told when an app's code failed. Why it failed is in the log, and only there. */
export const HANDLER_FAILED: Refusal = {
  code: "ALLCORES_ERR_HANDLER",
  message: "The server failed to handle this. Its log says why.",
};

export interface ServerGuardOptions {
  readonly limits: Options["limits"];
  /** Without it everybody is let in. */
  readonly authenticate: Authenticate | undefined;
  readonly log: Logger;
  readonly onRefusal: OnRefusal;
  readonly onWork: OnWork;
}

/** A client's event is being handled; `work` settles, and never rejects, when that is over. */
export type OnWork = (socket: { readonly conn: object }, work: Promise<unknown>) => void;

// A property of the server: this is asked several times for every event, and a WeakMap would cost more than all the rest.
const GUARD: unique symbol = Symbol("allcores guard");

/** The guard of a server, if it has one. */
export function guardOf(server: Server & { readonly [GUARD]?: ServerGuard }): ServerGuard | undefined {
  return server[GUARD];
}

export class ServerGuard {
  readonly limits: Options["limits"];
  readonly authenticate: Authenticate | undefined;
  /** Counts a refusal. */
  readonly count: OnRefusal;
  readonly onWork: OnWork;
  readonly #log: Logger;
  readonly #logBucket = new TokenBucket(LOG_LIMIT, performance.now());
  #unlogged = 0;

  constructor({ limits, authenticate, log, onRefusal, onWork }: ServerGuardOptions) {
    this.limits = limits;
    this.authenticate = authenticate;
    this.count = onRefusal;
    this.onWork = onWork;
    this.#log = log;
  }

  protect(server: Server): void {
    Object.defineProperty(server, GUARD, { value: this });
  }

  /** An app's code threw or rejected: counts it and logs why. */
  handlerFailed(error: unknown, info: RefusalInfo): void {
    this.#tell("handler", info, (extra) => this.#log.error({ ...extra, ...errorFields(error) }, "a handler failed"));
  }

  /** A connection was closed because its client did not stop. */
  flooded(address: string | undefined): void {
    this.#tell("flood", {}, (extra) =>
      this.#log.warn({ ...extra, address }, "a client that went on flooding was disconnected"),
    );
  }

  #tell(reason: RefusalReason, info: RefusalInfo, write: (extra: object) => void): void {
    this.count(reason, info);
    if (this.#logBucket.take(performance.now()) > 0) {
      this.#unlogged++;
      return;
    }
    write({ ...info, ...(this.#unlogged > 0 && { unlogged: this.#unlogged }) });
    this.#unlogged = 0;
  }
}
