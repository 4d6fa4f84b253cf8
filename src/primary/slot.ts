// One slot of the box: the process that fills it, the next one after a crash, and the change from an old to a new one.
//
//   beginReplacement --> tryReplacement --> commitReplacement --> dismissFormer      the successor is the worker
//                   \__________________\--> cancelReplacement                        the worker is what it was

import type { WorkerInit } from "../bus/worker-init.ts";
import type { Logger } from "../lib/logger.ts";
import type { RestartReason } from "../metrics/primary-counters.ts";
import { RestartPolicy } from "./restart-policy.ts";
import type { WorkerState, WorkerStatus } from "./status.ts";
import { type OnWorkerReroute, type WorkerExit, WorkerProcess, type WorkerProcessState } from "./worker-process.ts";

export interface SlotOptions {
  readonly index: number;
  readonly init: Omit<WorkerInit, "type" | "slot" | "incarnation">;
  readonly log: Logger;
  readonly onReroute: OnWorkerReroute;
  readonly onReady: (worker: WorkerProcess) => void;
  readonly onExit: (worker: WorkerProcess, exit: WorkerExit) => void;
  /** The slot has been, or is going to be, filled again. */
  readonly onRestart: (reason: RestartReason) => void;
}

export class Slot {
  readonly index: number;
  readonly #options: SlotOptions;
  readonly #policy: RestartPolicy;
  /** Replaced, and not gone yet: most of them told to go. */
  readonly #leaving = new Set<WorkerProcess>();
  /** Said to be stalled in the log. */
  readonly #stalled = new WeakSet<WorkerProcess>();
  /** Said once in the log to be out of file descriptors. */
  readonly #full = new WeakSet<WorkerProcess>();
  #worker: WorkerProcess | undefined;
  #successor: WorkerProcess | undefined;
  #incarnation = 0;
  #restarts = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: SlotOptions) {
    this.index = options.index;
    this.#options = options;
    const { supervisor } = options.init.options;
    this.#policy = new RestartPolicy({
      ...supervisor,
      minDelayMs: supervisor.minRestartDelayMs,
      maxDelayMs: supervisor.maxRestartDelayMs,
    });
  }

  get crashesInARow(): number {
    return this.#policy.crashesInARow;
  }

  /** The process that holds the slot. */
  get worker(): WorkerProcess | undefined {
    return this.#worker;
  }

  /** Every process of the slot that lives. */
  processes(): WorkerProcess[] {
    const all = [this.#worker, this.#successor, ...this.#leaving];
    return all.filter((process): process is WorkerProcess => process !== undefined && process.state !== "gone");
  }

  /** During a replacement the new process is shown from when it is ready, with the clients of both. */
  status(): WorkerStatus {
    const shown = this.#successor?.state === "ready" ? this.#successor : this.#worker;
    const { pid, report, silentMs, stalledMs } = shown?.state === "gone" ? {} : (shown ?? {});
    return {
      slot: this.index,
      incarnation: shown?.incarnation ?? this.#incarnation,
      pid: pid ?? null,
      state: shownState(shown?.state ?? "gone"),
      connections: this.processes().reduce((sum, { report: { clients } = { clients: 0 } }) => sum + clients, 0),
      restarts: this.#restarts,
      loopLagMs: report?.loopLagMs ?? 0,
      memoryBytes: report?.memoryBytes ?? 0,
      silentMs: silentMs ?? 0,
      stalledMs: Math.round(stalledMs ?? 0),
    };
  }

  /** Call it every `LIFE_CHECK_MS`. */
  checkLife(nowMs: number): void {
    for (const process of this.processes()) {
      process.checkLife(nowMs);
      this.#logStall(process);
      this.#logFull(process);
    }
  }

  /** Forks the process that holds the slot. */
  fill(): void {
    this.#worker = this.#fork();
  }

  /** No process is forked from now on. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#restartTimer);
  }

  /** Forks a successor and returns it. The worker serves on, or the slot stays empty, if it is. */
  beginReplacement(): WorkerProcess {
    clearTimeout(this.#restartTimer);
    this.#successor = this.#fork();
    return this.#successor;
  }

  /** New clients go to the successor. The worker keeps those it has. */
  tryReplacement(): void {
    this.#worker?.hold();
  }

  /** The successor is the worker now. The former one keeps its clients until it is dismissed. */
  commitReplacement(reason: RestartReason): void {
    if (this.#worker !== undefined) this.#leaving.add(this.#worker);
    this.#worker = this.#successor;
    this.#successor = undefined;
    this.#worker?.load.endWarmUp();
    this.#policy.reset();
    this.#countRestart(reason);
  }

  /** Resolves when the former worker has moved its clients and is gone. */
  async dismissFormer(deadlineMs: number): Promise<void> {
    await Promise.all([...this.#leaving].map((process) => this.#dismiss(process, deadlineMs)));
  }

  /** The worker takes clients again. Resolves when the successor is gone, its clients moved back. */
  async cancelReplacement(deadlineMs: number): Promise<void> {
    const successor = this.#successor;
    this.#successor = undefined;
    this.#worker?.release();
    if (this.#worker === undefined || this.#worker.state === "gone") this.#fillLater(0);
    if (successor !== undefined) await this.#dismiss(successor, deadlineMs);
  }

  async #dismiss(process: WorkerProcess, deadlineMs: number): Promise<void> {
    this.#leaving.add(process);
    await process.drain(deadlineMs);
    this.#leaving.delete(process);
  }

  #fork(): WorkerProcess {
    this.#incarnation++;
    const { index, init, onReady, onReroute } = this.#options;
    const name = { slot: index, incarnation: this.#incarnation };
    const worker = new WorkerProcess({ type: "allcores:init", ...name, ...init }, onReroute);
    worker.ready.then(
      () => onReady(worker),
      () => {},
    );
    void worker.exited.then((exit) => this.#onExit(worker, exit));
    return worker;
  }

  #onExit(worker: WorkerProcess, exit: WorkerExit): void {
    const isReplaced = this.#successor !== undefined;
    if (worker === this.#worker && !this.#isStopped) {
      const delayMs = this.#fillLater(worker.servedMs);
      this.#countRestart(exit.reason);
      this.#logCrash(worker, exit, isReplaced ? undefined : delayMs);
    }
    this.#options.onExit(worker, exit);
  }

  /** Returns the wait in milliseconds. While there is a successor, its fate decides. */
  #fillLater(servedMs: number): number {
    const delayMs = this.#policy.delayAfterCrash(servedMs);
    clearTimeout(this.#restartTimer);
    if (!this.#isStopped && this.#successor === undefined) {
      this.#restartTimer = setTimeout(() => this.fill(), delayMs);
    }
    return delayMs;
  }

  #countRestart(reason: RestartReason): void {
    this.#restarts++;
    this.#options.onRestart(reason);
  }

  #logStall(process: WorkerProcess): void {
    const isStalled = process.stalledMs > 0;
    if (isStalled === this.#stalled.has(process)) return;
    const { incarnation, pid, queuedBytes } = process;
    const fields = { slot: this.index, incarnation, workerPid: pid, queuedBytes };
    if (isStalled) {
      this.#stalled.add(process);
      this.#options.log.warn(fields, "worker is stalled: it does not read its bus");
    } else {
      this.#stalled.delete(process);
      this.#options.log.info(fields, "worker reads its bus again");
    }
  }

  #logFull(process: WorkerProcess): void {
    if (!process.isFull || this.#full.has(process)) return;
    this.#full.add(process);
    const fields = { slot: this.index, incarnation: process.incarnation, workerPid: process.pid };
    const advice = "Raise the limit of open files (ulimit -n, LimitNOFILE=), or set limits.maxConnections.";
    this.#options.log.warn(fields, `worker is out of file descriptors, connections go elsewhere. ${advice}`);
  }

  #logCrash({ incarnation, pid }: WorkerProcess, { reason, text }: WorkerExit, restartInMs?: number): void {
    const fields = { slot: this.index, incarnation, workerPid: pid, reason, restartInMs };
    const advice = this.#policy.isCrashLoop ? ` It is in a crash loop (${this.#policy.crashesInARow} in a row).` : "";
    this.#options.log.error(fields, `worker is gone: ${text}.${advice}`);
  }
}

/** For those who watch the box, a worker that gets no new clients drains. */
function shownState(state: WorkerProcessState): WorkerState {
  return state === "held" ? "draining" : state;
}
