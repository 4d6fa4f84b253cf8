// Keeps every slot filled: forks, waits for ready, forks again after a crash, gives up when the app cannot start.
// When to fork again is restart-policy.ts; what one process does is worker-process.ts.

import cluster from "node:cluster";
import { EventEmitter } from "node:events";
import { fileURLToPath } from "node:url";
import type { Peers } from "../bus/peers.ts";
import type { WorkerInit } from "../bus/worker-init.ts";
import { AllcoresError } from "../errors.ts";
import { Lifecycle } from "../lib/lifecycle.ts";
import { errorFields, type Logger } from "../lib/logger.ts";
import type { RestartReason } from "../metrics/primary-counters.ts";
import { startIpcRelay } from "./ipc-relay.ts";
import { RestartPolicy } from "./restart-policy.ts";
import type { RouteTarget } from "./router.ts";
import type { WorkerStatus } from "./status.ts";
import { exitText, type WorkerExit, WorkerProcess } from "./worker-process.ts";

/** So many failed starts in a row, with no worker ever ready, and the box gives up. */
const START_ATTEMPTS = 3;

const WORKER_FILE = fileURLToPath(new URL("../socket-worker/socket-worker.js", import.meta.url));

interface SupervisorEvents {
  workerReady: [worker: WorkerProcess];
  workerExit: [worker: WorkerProcess, exit: WorkerExit];
  /** No worker has ever become ready and none will: the box has to end. */
  failed: [error: AllcoresError];
}

export interface SupervisorOptions {
  readonly peers: Peers;
  readonly log: Logger;
  readonly init: Omit<WorkerInit, "type" | "slot" | "incarnation">;
  /** A slot is going to be filled again. */
  readonly onRestart: (slot: number, reason: RestartReason) => void;
}

interface Slot {
  readonly index: number;
  readonly policy: RestartPolicy;
  worker: WorkerProcess | undefined;
  incarnation: number;
  restartTimer: NodeJS.Timeout | undefined;
  /** Settled once the first process of the slot became ready or failed. */
  hasBegun: boolean;
}

export class Supervisor extends Lifecycle {
  readonly events = new EventEmitter<SupervisorEvents>();
  readonly #options: SupervisorOptions;
  readonly #slots: Slot[];
  #hasServed = false;

  constructor(options: SupervisorOptions) {
    super();
    this.#options = options;
    const { workers, supervisor } = options.init.options;
    const policy = {
      minDelayMs: supervisor.minRestartDelayMs,
      maxDelayMs: supervisor.maxRestartDelayMs,
      stableAfterMs: supervisor.stableAfterMs,
    };
    this.#slots = Array.from({ length: workers }, (_, index) => ({
      index,
      policy: new RestartPolicy(policy),
      worker: undefined,
      incarnation: 0,
      restartTimer: undefined,
      hasBegun: false,
    }));
  }

  /** The processes that fill the slots now, or filled them last. */
  workers(): WorkerProcess[] {
    return this.#slots.flatMap(({ worker }) => worker ?? []);
  }

  /** One entry a slot, in order of slots. */
  status(): WorkerStatus[] {
    return this.#slots.map(({ index, incarnation, worker }) => {
      const { state = "gone", report } = worker ?? {};
      const isThere = worker !== undefined && state !== "gone";
      return {
        slot: index,
        incarnation,
        pid: isThere ? worker.pid : null,
        state,
        connections: isThere ? (report?.clients ?? 0) : 0,
        restarts: Math.max(0, incarnation - 1),
        loopLagMs: isThere ? (report?.loopLagMs ?? 0) : 0,
        memoryBytes: isThere ? (report?.memoryBytes ?? 0) : 0,
        silentMs: isThere ? worker.silentMs : 0,
      };
    });
  }

  routeTargets(): RouteTarget[] {
    return this.#slots.flatMap(({ worker }) => worker?.routeTarget ?? []);
  }

  /** Resolves when every slot has been tried and at least one worker is ready. */
  protected override async onStart(): Promise<void> {
    cluster.setupPrimary({ exec: WORKER_FILE, args: [], execArgv: process.execArgv, serialization: "advanced" });
    if (this.#options.init.options.bus === "ipc") startIpcRelay();
    this.#options.peers.on("message", (peer, message) => {
      const { worker } = this.#slots[peer.slot] ?? {};
      if (peer.role === "socket-worker" && worker?.incarnation === peer.incarnation) worker.handle(peer, message);
    });

    const begun = new Promise<void>((resolve, reject) => {
      this.events.once("failed", reject);
      const check = (): void => {
        if (this.#hasServed && this.#slots.every(({ hasBegun }) => hasBegun)) resolve();
      };
      this.events.on("workerReady", check);
      this.events.on("workerExit", check);
    });
    for (const slot of this.#slots) this.#fill(slot);
    await begun;
  }

  protected override async onDrain(deadlineMs: number): Promise<void> {
    this.#cancelRestarts();
    await Promise.all(this.workers().map((worker) => worker.drain(deadlineMs)));
  }

  protected override async onClose(): Promise<void> {
    this.#cancelRestarts();
    const alive = this.workers().filter(({ state }) => state !== "gone");
    for (const worker of alive) worker.kill();
    await Promise.all(alive.map(({ exited }) => exited));
  }

  #fill(slot: Slot): void {
    slot.incarnation++;
    const { init, log } = this.#options;
    const worker = new WorkerProcess(
      { type: "allcores:init", slot: slot.index, incarnation: slot.incarnation, ...init },
      init.options.supervisor.startTimeoutMs,
    );
    slot.worker = worker;
    worker.ready.then(
      () => {
        slot.hasBegun = true;
        this.#hasServed = true;
        log.info({ slot: slot.index, incarnation: worker.incarnation, workerPid: worker.pid }, "worker is ready");
        this.events.emit("workerReady", worker);
      },
      () => {},
    );
    void worker.exited.then((exit) => this.#onExit(slot, worker, exit));
  }

  #onExit(slot: Slot, worker: WorkerProcess, exit: WorkerExit): void {
    slot.hasBegun = true;
    const isExpected = this.state === "draining" || this.state === "closed";
    if (!isExpected) this.#refill(slot, worker, exit);
    this.events.emit("workerExit", worker, exit);
  }

  #refill(slot: Slot, worker: WorkerProcess, exit: WorkerExit): void {
    const cause = exit.error?.message ?? exitText(exit.code, exit.signal);
    const delayMs = slot.policy.delayAfterCrash(worker.servedMs);
    const fields = { slot: slot.index, incarnation: worker.incarnation, workerPid: worker.pid };
    if (!this.#hasServed && slot.policy.crashesInARow >= START_ATTEMPTS) {
      this.#giveUp(cause);
      return;
    }
    const details = exit.error === undefined ? {} : errorFields(exit.error);
    this.#options.log.error({ ...fields, ...details, restartInMs: delayMs }, `worker is gone: ${cause}`);
    this.#options.onRestart(slot.index, restartReason(worker, exit));
    slot.restartTimer = setTimeout(() => this.#fill(slot), delayMs);
  }

  #giveUp(cause: string): void {
    this.#cancelRestarts();
    const message = `The app cannot start: ${cause}. Tried ${START_ATTEMPTS} times.`;
    this.events.emit("failed", new AllcoresError("ALLCORES_ERR_APP", message));
  }

  #cancelRestarts(): void {
    for (const { restartTimer } of this.#slots) clearTimeout(restartTimer);
  }
}

function restartReason(worker: WorkerProcess, { signal }: WorkerExit): RestartReason {
  if (worker.servedMs === 0) return "start_failed";
  return signal === null ? "exited" : "killed";
}
