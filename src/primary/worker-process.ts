// One socket worker as the primary sees it: its process, its place in the box, and how connections get there.
//
//   starting --ready--> ready --drain--> draining --exit--> gone      (every state: --exit--> gone)

import cluster, { type Worker } from "node:cluster";
import { type BusMessage, fromWireError, type LoadMessage } from "../bus/messages.ts";
import type { Peer } from "../bus/peers.ts";
import { isWorkerInitRequest, type WorkerInit } from "../bus/worker-init.ts";
import { AllcoresError } from "../errors.ts";
import { type Deferred, defer } from "../lib/deadline.ts";
import { HandOver } from "./hand-over.ts";
import { WorkerLoad } from "./pick-worker.ts";
import type { RouteTarget } from "./router.ts";

export type WorkerState = "starting" | "ready" | "draining" | "gone";

/** How a worker ended. `error` is what it said before, if anything. */
export interface WorkerExit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly error: AllcoresError | undefined;
}

export class WorkerProcess {
  readonly slot: number;
  readonly incarnation: number;
  readonly load = new WorkerLoad();
  /** Rejects when the process ends, or takes too long, before it is ready. */
  readonly ready: Promise<void>;
  readonly exited: Promise<WorkerExit>;
  readonly #process: Worker;
  readonly #handOver: HandOver;
  readonly #ready: Deferred<void> = defer();
  #state: WorkerState = "starting";
  #readyAt: number | undefined;
  #peer: Peer | undefined;
  #error: AllcoresError | undefined;
  #report: LoadMessage | undefined;
  #hasAffinity = false;
  #heardAt = Date.now();

  constructor(init: WorkerInit, startTimeoutMs: number) {
    this.slot = init.slot;
    this.incarnation = init.incarnation;
    this.#process = cluster.fork();
    guardSend(this.#process);
    this.#handOver = new HandOver(this.#process);
    this.ready = this.#ready.promise;
    this.ready.catch(() => {});

    const timer = setTimeout(() => {
      this.#error = new AllcoresError("ALLCORES_ERR_APP", `it was not ready after ${startTimeoutMs} ms`);
      this.kill();
    }, startTimeoutMs);
    this.ready.then(
      () => clearTimeout(timer),
      () => clearTimeout(timer),
    );
    this.#process.on("message", (message: unknown) => {
      if (isWorkerInitRequest(message)) this.#process.send(init);
    });
    this.#process.on("error", () => {});
    this.exited = new Promise((resolve) => {
      this.#process.once("exit", (code, signal) => resolve(this.#onExit(code, signal)));
    });
  }

  get state(): WorkerState {
    return this.#state;
  }

  get pid(): number {
    return this.#process.process.pid ?? 0;
  }

  /** How long it has served, in milliseconds; 0 when it was never ready. */
  get servedMs(): number {
    return this.#readyAt === undefined ? 0 : Date.now() - this.#readyAt;
  }

  /** How long ago it last reported, or was forked, in milliseconds. */
  get silentMs(): number {
    return Date.now() - this.#heardAt;
  }

  /** The last numbers it reported. */
  get report(): LoadMessage | undefined {
    return this.#report;
  }

  /** Whether its app has an `affinity` function. Known once it is ready. */
  get hasAffinity(): boolean {
    return this.#hasAffinity;
  }

  /** The router's view, while it can take connections. */
  get routeTarget(): RouteTarget | undefined {
    const { slot, incarnation, load, state } = this;
    if (state !== "ready" && state !== "draining") return undefined;
    // A process that died loses its channel before its exit is known.
    if (!this.#process.isConnected()) return undefined;
    return { slot, incarnation, load, state, handOver: (...args) => this.#handOver.send(...args) };
  }

  /** Takes what came over the bus from this worker. */
  handle(peer: Peer, message: BusMessage): void {
    this.#peer = peer;
    switch (message.type) {
      case "ready":
        if (this.#state === "starting") this.#state = "ready";
        this.#readyAt = Date.now();
        this.#hasAffinity = message.hasAffinity === true;
        this.#ready.resolve();
        break;
      case "startFailed":
        this.#error = fromWireError(message.error);
        break;
      case "load":
        this.#report = message;
        this.#heardAt = Date.now();
        this.load.report(message);
        break;
    }
  }

  /** Tells it to move its clients away, finish and exit; it is killed when it has not by the deadline. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#state === "gone") return;
    this.#state = "draining";
    const isTold = this.#peer?.connection.send({ type: "drain", deadlineMs }) ?? false;
    if (!isTold) this.kill();

    // The worker keeps the deadline itself; the second more is for its way out.
    const timer = setTimeout(() => this.kill(), deadlineMs + 1000);
    await this.exited;
    clearTimeout(timer);
  }

  kill(): void {
    this.#process.process.kill("SIGKILL");
  }

  #onExit(code: number | null, signal: string | null): WorkerExit {
    const wasStarting = this.#state === "starting";
    this.#state = "gone";
    const error = this.#error;
    if (wasStarting) this.#ready.reject(error ?? new AllcoresError("ALLCORES_ERR_APP", exitText(code, signal)));
    return { code, signal, error };
  }
}

/** "it ended with exit code 1" or "it was ended by SIGKILL". */
export function exitText(code: number | null, signal: string | null): string {
  return signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`;
}

/**
 * Nothing that is sent to a worker may end the primary. A payload too deep for the serializer throws here, and the
 * official cluster adapter's relay does not catch it.
 */
function guardSend(worker: Worker): void {
  const send = worker.send.bind(worker) as (...args: unknown[]) => boolean;
  worker.send = (...args: unknown[]): boolean => {
    try {
      return send(...args);
    } catch (error) {
      const callback = args.at(-1);
      if (typeof callback === "function") callback(error);
      return false;
    }
  };
}
