// Keeps one cpu process for the box: forks it, forks it again after a crash, and tells socket workers where it is.
// When to fork again is restart-policy.ts; what one process does is cpu-child.ts.

import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { TaskTotals } from "../bus/cpu-messages.ts";
import type { BusMessage } from "../bus/messages.ts";
import type { Peer, Peers } from "../bus/peers.ts";
import { AllcoresError } from "../errors.ts";
import { Lifecycle } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/logger.ts";
import { addTotals, NO_TASKS } from "../metrics/task-stats.ts";
import type { Options } from "../options/options.ts";
import { CpuChild } from "./cpu-child.ts";
import { RestartPolicy } from "./restart-policy.ts";
import type { CpuStatus } from "./status.ts";

export interface CpuSupervisorOptions {
  readonly peers: Peers;
  readonly options: Options;
  readonly log: Logger;
  /** The primary's bus, which the cpu process connects to. */
  readonly bus: { readonly path: string; readonly secret: string };
  /** Folder for its unix socket, private to the user. */
  readonly runtimeDir: string;
  /** What went wrong and has no caller to tell. */
  readonly onError: (error: Error, context: { readonly stage: string }) => void;
}

export class CpuSupervisor extends Lifecycle {
  readonly #options: CpuSupervisorOptions;
  readonly #log: Logger;
  readonly #policy: RestartPolicy;
  #child: CpuChild | undefined;
  #incarnation = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  /** Of the processes before this one. */
  #pastTotals: TaskTotals = NO_TASKS;

  constructor(options: CpuSupervisorOptions) {
    super();
    this.#options = options;
    this.#log = options.log.child({ part: "cpu" });
    const { minRestartDelayMs, maxRestartDelayMs, stableAfterMs } = options.options.supervisor;
    this.#policy = new RestartPolicy({
      minDelayMs: minRestartDelayMs,
      maxDelayMs: maxRestartDelayMs,
      stableAfterMs,
    });
  }

  status(): CpuStatus {
    const { state = "off", pid = null, report } = this.#child ?? {};
    const { threads } = this.#options.options.cpu;
    if (state === "off" || state === "gone") return { pid: null, state, queued: 0, running: 0, threads };
    return { pid, state, queued: report?.queued ?? 0, running: report?.running ?? 0, threads };
  }

  /** Resident memory of the cpu process in bytes, 0 until it reported. */
  get memoryBytes(): number {
    return this.#child?.report?.memoryBytes ?? 0;
  }

  /** How often the cpu process was forked again. */
  get restarts(): number {
    return Math.max(0, this.#incarnation - 1);
  }

  /** How tasks ended and how long they took since the box started, over all cpu processes. Never goes down. */
  totals(): TaskTotals {
    return addTotals(this.#pastTotals, this.#child?.report?.totals ?? NO_TASKS);
  }

  /** Resolves when the cpu process takes tasks; rejects with `ALLCORES_ERR_CPU_PROCESS` when the first one never does. */
  protected override async onStart(): Promise<void> {
    this.#options.peers.on("message", (peer, message) => this.#onMessage(peer, message));
    await this.#fork().ready;
  }

  protected override async onDrain(deadlineMs: number): Promise<void> {
    clearTimeout(this.#restartTimer);
    await this.#child?.drain(deadlineMs);
  }

  protected override async onClose(): Promise<void> {
    clearTimeout(this.#restartTimer);
    if (this.#child === undefined || this.#child.state === "gone") return;
    this.#child.kill("the box ends");
    await this.#child.exited;
  }

  #fork(): CpuChild {
    const { options, bus, runtimeDir } = this.#options;
    this.#pastTotals = this.totals();
    this.#incarnation++;
    const child = new CpuChild({
      init: {
        type: "allcores:cpu-init",
        incarnation: this.#incarnation,
        busPath: bus.path,
        busSecret: bus.secret,
        path: join(runtimeDir, `cpu-${process.pid}-${this.#incarnation}.sock`),
        secret: randomBytes(32).toString("base64url"),
        options,
      },
      log: this.#log,
    });
    this.#child = child;
    child.ready.then(
      () => this.#onReady(child),
      () => {},
    );
    void child.exited.then((reason) => this.#onExit(child, reason));
    return child;
  }

  #onMessage(peer: Peer, message: BusMessage): void {
    if (message.type === "cpuWanted") this.#tell(peer);
    if (peer.role !== "cpu" || peer.incarnation !== this.#incarnation) return;
    if (message.type === "cpuError") {
      const left = `A task left an error behind in its thread. ${message.error.name}: ${message.error.message}`;
      this.#options.onError(new AllcoresError("ALLCORES_ERR_TASK_FAILED", left), { stage: "cpu" });
    }
    this.#child?.handle(peer, message);
  }

  #onReady(child: CpuChild): void {
    this.#log.info({ incarnation: child.init.incarnation, cpuPid: child.pid }, "cpu process is ready");
    for (const peer of this.#options.peers.socketWorkers()) this.#tell(peer);
  }

  #tell(peer: Peer): void {
    if (this.#child?.state !== "ready") return;
    const { path, secret } = this.#child.init;
    peer.connection.send({ type: "cpuReady", path, secret });
  }

  #onExit(child: CpuChild, reason: string): void {
    // A killed process does not remove its socket.
    void rm(child.init.path, { force: true }).catch(() => {});
    // A first process that never became ready fails the start instead.
    if (this.state !== "running") return;
    const delayMs = this.#policy.delayAfterCrash(performance.now() - child.startedAt);
    this.#log.error({ reason, delayMs }, "cpu process ended; tasks it ran are lost, a new one is forked");
    this.#restartTimer = setTimeout(() => this.#fork(), delayMs);
  }
}
