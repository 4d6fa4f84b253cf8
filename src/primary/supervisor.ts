// Keeps every slot filled: forks, watches, forks again after a crash, replaces, gives up when the app cannot start.
// What happens in one slot is slot.ts; how slots get new processes without loss is reload.ts.

import cluster from "node:cluster";
import { EventEmitter } from "node:events";
import { fileURLToPath } from "node:url";
import type { Peers } from "../bus/peers.ts";
import type { WorkerInit } from "../bus/worker-init.ts";
import { AllcoresError } from "../errors.ts";
import { childStart } from "../lib/child-start.ts";
import { Lifecycle } from "../lib/lifecycle.ts";
import { errorFields, type Logger } from "../lib/logger.ts";
import type { RestartReason } from "../metrics/primary-counters.ts";
import { startIpcRelay } from "./ipc-relay.ts";
import { type ReloadOptions, reloadSlots } from "./reload.ts";
import type { RouteTarget } from "./route-target.ts";
import { Slot } from "./slot.ts";
import type { WorkerStatus } from "./status.ts";
import { LIFE_CHECK_MS, type OnWorkerReroute, type WorkerExit, type WorkerProcess } from "./worker-process.ts";

/** So many failed starts in a row, with no worker ever ready, and the box gives up. */
const START_ATTEMPTS = 3;

/** A slot whose worker is over its memory limit again, or could not be replaced, is left alone for this long. */
const MEMORY_PAUSE_MS = 30_000;

const WORKER_FILE = fileURLToPath(new URL("../socket-worker/socket-worker.js", import.meta.url));

type ReloadWatch = Pick<ReloadOptions, "onProgress" | "onPassed">;

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
  readonly onReroute: OnWorkerReroute;
  /** A slot was, or is going to be, filled again. */
  readonly onRestart: (slot: number, reason: RestartReason) => void;
}

export class Supervisor extends Lifecycle {
  readonly events = new EventEmitter<SupervisorEvents>();
  readonly #options: SupervisorOptions;
  readonly #slots: Slot[];
  /** Slots of which a process became ready or ended. */
  readonly #begun = new Set<number>();
  readonly #stopping = new AbortController();
  #hasServed = false;
  #watch: NodeJS.Timeout | undefined;
  /** Settled when no slot is being replaced. One replacement at a time. */
  #replaced: Promise<void> = Promise.resolve();
  #isReplacing = false;
  /** By slot: when its worker was last replaced, or tried to be, for its memory. */
  readonly #triedForMemoryAt = new Map<Slot, number>();

  constructor(options: SupervisorOptions) {
    super();
    this.#options = options;
    const { init, log, onReroute } = options;
    this.#slots = Array.from({ length: init.options.workers }, (_, index) => {
      return new Slot({
        index,
        init,
        log,
        onReroute,
        onReady: (worker) => this.#onReady(worker),
        onExit: (worker, exit) => this.#onExit(worker, exit),
        onRestart: (reason) => options.onRestart(index, reason),
      });
    });
  }

  /** Every process of every slot that lives. */
  workers(): WorkerProcess[] {
    return this.#slots.flatMap((slot) => slot.processes());
  }

  /** Connections are on their way to workers. */
  get isHandingOver(): boolean {
    return this.workers().some(({ isTakingConnections }) => isTakingConnections);
  }

  /** One entry a slot, in order of slots. */
  status(): WorkerStatus[] {
    return this.#slots.map((slot) => slot.status());
  }

  /** A stalled worker gets no new clients while another one reads. */
  routeTargets(): RouteTarget[] {
    const workers = this.workers();
    const isReading = ({ state, stalledMs }: WorkerProcess): boolean => state === "ready" && stalledMs === 0;
    const canPassOver = workers.some(isReading);
    return workers.flatMap((worker) => {
      const { routeTarget } = worker;
      if (routeTarget === undefined) return [];
      return canPassOver && !isReading(worker) ? { ...routeTarget, state: "draining" } : routeTarget;
    });
  }

  /** Replaces every process, without loss. Rejects with `ALLCORES_ERR_RELOAD_FAILED` when the new code does not work. */
  reload(watch: ReloadWatch): Promise<void> {
    return this.#replace(this.#slots, "reload", watch);
  }

  /** Resolves when every slot has been tried and at least one worker is ready. */
  protected override async onStart(): Promise<void> {
    const start = childStart();
    const execArgv = [...start.execArgv, ...process.execArgv];
    cluster.setupPrimary({ exec: WORKER_FILE, args: [...start.args], execArgv, serialization: "advanced" });
    if (this.#options.init.options.bus === "ipc") startIpcRelay();
    this.#options.peers.on("message", (peer, message) => {
      if (peer.role !== "socket-worker") return;
      const isSender = ({ incarnation }: WorkerProcess): boolean => incarnation === peer.incarnation;
      this.#slots[peer.slot]?.processes().find(isSender)?.handle(peer, message);
    });

    const begun = new Promise<void>((resolve, reject) => {
      this.events.once("failed", reject);
      const check = (): void => {
        if (this.#hasServed && this.#begun.size === this.#slots.length) resolve();
      };
      this.events.on("workerReady", check);
      this.events.on("workerExit", check);
    });
    for (const slot of this.#slots) slot.fill();
    this.#watch = setInterval(() => this.#watchWorkers(), LIFE_CHECK_MS);
    await begun;
  }

  protected override async onDrain(deadlineMs: number): Promise<void> {
    this.#stopSlots();
    await Promise.all(this.workers().map((worker) => worker.drain(deadlineMs)));
  }

  protected override async onClose(): Promise<void> {
    this.#stopSlots();
    const alive = this.workers();
    for (const worker of alive) worker.kill();
    await Promise.all(alive.map(({ exited }) => exited));
  }

  #onReady(worker: WorkerProcess): void {
    const { slot, incarnation, pid } = worker;
    this.#begun.add(slot);
    this.#hasServed = true;
    this.#options.log.info({ slot, incarnation, workerPid: pid }, "worker is ready");
    this.events.emit("workerReady", worker);
  }

  #onExit(worker: WorkerProcess, exit: WorkerExit): void {
    this.#begun.add(worker.slot);
    const attempts = this.#slots[worker.slot]?.crashesInARow ?? 0;
    if (!this.#hasServed && attempts >= START_ATTEMPTS) this.#giveUp(exit.text);
    this.events.emit("workerExit", worker, exit);
  }

  #giveUp(cause: string): void {
    this.#stopSlots();
    const message = `The app cannot start: ${cause}. Tried ${START_ATTEMPTS} times.`;
    this.events.emit("failed", new AllcoresError("ALLCORES_ERR_APP", message));
  }

  #stopSlots(): void {
    clearInterval(this.#watch);
    for (const slot of this.#slots) slot.stop();
    this.#stopping.abort(new AllcoresError("ALLCORES_ERR_CLOSED", "the box stops"));
  }

  #watchWorkers(): void {
    const nowMs = performance.now();
    for (const slot of this.#slots) slot.checkLife(nowMs);
    const { maxWorkerMemoryMb } = this.#options.init.options.supervisor;
    if (maxWorkerMemoryMb === 0 || this.#isReplacing) return;
    const isPaused = (slot: Slot): boolean => nowMs - (this.#triedForMemoryAt.get(slot) ?? -Infinity) < MEMORY_PAUSE_MS;
    const large = this.#slots.find((slot) => memoryMbOf(slot.worker) > maxWorkerMemoryMb && !isPaused(slot));
    if (large !== undefined) void this.#replaceLarge(large);
  }

  /** Not a kill: its clients move to its successor as in a reload. */
  async #replaceLarge(slot: Slot): Promise<void> {
    const { log } = this.#options;
    const memoryMb = Math.round(memoryMbOf(slot.worker));
    log.warn({ slot: slot.index, memoryMb }, "a worker is over its memory limit and is replaced");
    try {
      await this.#replace([slot], "memory", { onProgress: () => {} });
    } catch (error) {
      log.error({ slot: slot.index, ...errorFields(error) }, "a worker that is over its memory limit stays");
    }
    this.#triedForMemoryAt.set(slot, performance.now());
  }

  #replace(slots: readonly Slot[], reason: RestartReason, watch: ReloadWatch): Promise<void> {
    const { reload, supervisor } = this.#options.init.options;
    const { signal } = this.#stopping;
    const { drainTimeoutMs } = supervisor;
    this.#isReplacing = true;
    const replaced = this.#replaced.then(async () => {
      this.#isReplacing = true;
      await reloadSlots({ ...reload, ...watch, slots, drainTimeoutMs, reason, signal });
    });
    const settle = (): void => {
      this.#isReplacing = false;
    };
    this.#replaced = replaced.then(settle, settle);
    return replaced;
  }
}

function memoryMbOf(worker: WorkerProcess | undefined): number {
  return (worker?.report?.memoryBytes ?? 0) / 1_048_576;
}
