// One socket worker as the primary sees it: its process, its place in the box, and how connections get there.
//
//   starting --ready--> ready --drain--> draining --exit--> gone      (every state: --exit--> gone)
//                       |  ^ \
//                  hold |  | release          held: keeps its clients and gets no new ones
//                       v  |
//                       held --drain--> draining

import cluster, { type Worker } from "node:cluster";
import type { Socket } from "node:net";
import type { BusConnection } from "../bus/connection.ts";
import { type BusMessage, fromWireError, type LoadMessage } from "../bus/messages.ts";
import type { Peer } from "../bus/peers.ts";
import { isReroute, type OnReroute } from "../bus/relay.ts";
import { isWorkerInitRequest, type WorkerInit } from "../bus/worker-init.ts";
import { AllcoresError, clauseOf } from "../errors.ts";
import { childStart } from "../lib/child-start.ts";
import { type Deferred, defer } from "../lib/deadline.ts";
import type { RestartReason } from "../metrics/primary-counters.ts";
import { HandOver } from "./hand-over.ts";
import { HangWatch } from "./hang-watch.ts";
import type { RouteTarget } from "./route-target.ts";
import { StallWatch } from "./stall-watch.ts";
import { WorkerLoad } from "./worker-load.ts";

export type WorkerProcessState = "starting" | "ready" | "held" | "draining" | "gone";

/** How a worker ended. */
export interface WorkerExit {
  readonly reason: RestartReason;
  /** What it said before, or why it was killed, or its exit code; without a full stop. */
  readonly text: string;
}

/** How often `checkLife` is to be called, in milliseconds: no more often than a worker gives a sign of life. */
export const LIFE_CHECK_MS = 500;

/** A worker that is busy reads late; one that has not read for this long is said to be stalled. */
const STALLED_AFTER_MS = 2000;

/** Takes a connection that a worker gives back, because what came on it is another worker's. */
export type OnWorkerReroute = (worker: WorkerProcess, ...reroute: Parameters<OnReroute>) => void;

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
  readonly #hangWatch: HangWatch;
  readonly #stallWatch: StallWatch;
  #state: WorkerProcessState = "starting";
  #readyAt: number | undefined;
  #peer: Peer | undefined;
  #error: AllcoresError | undefined;
  #killed: WorkerExit | undefined;
  #report: LoadMessage | undefined;
  #hasAffinity = false;
  #drained: Promise<void> | undefined;
  #heardAt = Date.now();

  constructor(init: WorkerInit, onReroute: OnWorkerReroute) {
    const { startTimeoutMs, hangTimeoutMs, stallTimeoutMs } = init.options.supervisor;
    this.slot = init.slot;
    this.incarnation = init.incarnation;
    this.#hangWatch = new HangWatch({ timeoutMs: hangTimeoutMs, everyMs: LIFE_CHECK_MS });
    this.#stallWatch = new StallWatch({ timeoutMs: stallTimeoutMs, everyMs: LIFE_CHECK_MS });
    this.#process = forkWorker();
    guardSend(this.#process);
    this.#handOver = new HandOver(this.#process, init.options.router.workerWaitMs);
    this.ready = this.#ready.promise;
    this.ready.catch(() => {});

    const timer = setTimeout(() => {
      this.kill({ reason: "start_failed", text: `it was not ready after ${startTimeoutMs} ms` });
    }, startTimeoutMs);
    this.ready.then(
      () => clearTimeout(timer),
      () => clearTimeout(timer),
    );
    this.#process.on("message", (message: unknown, connection?: Socket) => {
      if (isWorkerInitRequest(message)) this.#process.send(init);
      if (isReroute(message)) onReroute(this, message, connection);
    });
    this.exited = new Promise((resolve) => {
      this.#process.once("exit", (code, signal) => resolve(this.#onExit(exitText(code, signal), signal)));
      this.#process.on("error", (error) => {
        // Not forked, as when the box is out of file descriptors: there will be no exit.
        if (this.pid === 0) resolve(this.#onExit(`it cannot be forked: ${error.message}`, null));
      });
    });
  }

  get state(): WorkerProcessState {
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

  /** How long it has not read its bus, because it stands still or does not come to it, in milliseconds; 0 while it reads. */
  get stalledMs(): number {
    const ms = Math.max(this.#stallWatch.stalledMs, this.#hangWatch.silentMs);
    return ms < STALLED_AFTER_MS ? 0 : ms;
  }

  /** It had no file descriptor for a connection a moment ago. */
  get isFull(): boolean {
    return this.#handOver.isFull;
  }

  /** A connection is on its way to it. */
  get isTakingConnections(): boolean {
    return this.#handOver.isBusy;
  }

  /** Bytes that wait on the bus until it reads. */
  get queuedBytes(): number {
    return this.#peer?.connection.queuedBytes ?? 0;
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
    const { slot, incarnation, load, isFull } = this;
    if (this.#state === "starting" || this.#state === "gone") return undefined;
    // A process that died loses its channel before its exit is known.
    if (!this.#process.isConnected()) return undefined;
    const state = this.#state === "ready" ? "ready" : "draining";
    return { slot, incarnation, load, state, isFull, handOver: (...args) => this.#handOver.send(...args) };
  }

  /** Takes what came over the bus from this worker. */
  handle(peer: Peer, message: BusMessage): void {
    if (this.#peer === undefined) this.#watchOverflow(peer.connection);
    this.#peer = peer;
    this.#hangWatch.heard();
    switch (message.type) {
      case "ready":
        if (this.#state === "starting") this.#state = "ready";
        this.#readyAt = Date.now();
        this.load.begin(performance.now(), this.incarnation > 1);
        this.#hasAffinity = message.hasAffinity === true;
        this.#ready.resolve();
        break;
      case "startFailed":
      case "crashed":
        this.#error = fromWireError(message.error);
        break;
      case "load":
        this.#report = message;
        this.#heardAt = Date.now();
        this.load.report(message, performance.now());
        break;
    }
  }

  /** Gives it no new clients from now on; those it has stay. */
  hold(): void {
    if (this.#state === "ready") this.#state = "held";
  }

  /** The end of `hold`. */
  release(): void {
    if (this.#state === "held") this.#state = "ready";
  }

  /** Kills it when it stands still or does not read: it would not hear anything else. Call it every `LIFE_CHECK_MS`. */
  checkLife(nowMs: number): void {
    // Before, startTimeoutMs bounds it. One that hangs while it drains is not waited for until the drain's deadline.
    if (this.#state === "starting" || this.#state === "gone") return;
    if (this.#hangWatch.isHung(nowMs)) this.kill({ reason: "hung", text: "its event loop stood still" });
    const backlog = this.#peer?.connection;
    if (backlog === undefined || !this.#stallWatch.isStalled(nowMs, backlog)) return;
    this.kill({ reason: "stalled", text: `it did not read its bus: ${backlog.queuedBytes} bytes were waiting` });
  }

  /** Tells it to move its clients away, finish and exit; it is killed when it has not by the deadline. */
  drain(deadlineMs: number): Promise<void> {
    this.#drained ??= this.#drain(deadlineMs);
    return this.#drained;
  }

  /** Ends it at once. The first reason given counts. */
  kill(exit?: WorkerExit): void {
    this.#killed ??= exit;
    this.#process.process.kill("SIGKILL");
  }

  async #drain(deadlineMs: number): Promise<void> {
    if (this.#state === "gone") return;
    const isServing = this.#state !== "starting";
    this.#state = "draining";
    const isTold = isServing && this.#peer?.connection.send({ type: "drain", deadlineMs });
    if (isTold !== true) this.kill();

    // The worker keeps the deadline itself; the second more is for its way out.
    const timer = setTimeout(() => this.kill(), deadlineMs + 1000);
    await this.exited;
    clearTimeout(timer);
  }

  #onExit(text: string, signal: string | null): WorkerExit {
    this.#state = "gone";
    const said = this.#error === undefined ? text : clauseOf(this.#error);
    const exit = this.#killed ?? { reason: this.#reasonOf(signal), text: said };
    this.#ready.reject(this.#error ?? new AllcoresError("ALLCORES_ERR_APP", exit.text));
    return exit;
  }

  /** The bus lets go of a worker for which too much waits; what stands still would not notice. */
  #watchOverflow(connection: BusConnection): void {
    connection.once("close", (error) => {
      if (error?.code === "ALLCORES_ERR_BUS_OVERFLOW") this.kill({ reason: "stalled", text: clauseOf(error) });
    });
  }

  #reasonOf(signal: string | null): RestartReason {
    if (this.#readyAt === undefined) return "start_failed";
    return signal === null ? "exited" : "killed";
  }
}

/** "it ended with exit code 1" or "it was ended by SIGKILL". */
function exitText(code: number | null, signal: string | null): string {
  return signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`;
}

/** As the supervisor has set it up. The program to start is the one thing that `cluster` takes from nowhere else. */
function forkWorker(): Worker {
  const { execPath } = process;
  process.execPath = childStart().execPath;
  try {
    return cluster.fork();
  } finally {
    process.execPath = execPath;
  }
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
