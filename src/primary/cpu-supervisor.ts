// Keeps one cpu process for the box: forks it, forks it again after a crash, replaces it, and tells socket workers where
// it is.
// When to fork again is restart-policy.ts; what one process does is cpu-child.ts.

import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { TaskTotals } from "../bus/cpu-messages.ts";
import type { BusMessage } from "../bus/messages.ts";
import type { Peer, Peers } from "../bus/peers.ts";
import { AllcoresError, toError } from "../errors.ts";
import { Lifecycle } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/logger.ts";
import { addTotals, NO_TASKS } from "../metrics/task-stats.ts";
import type { Options } from "../options/options.ts";
import { CpuChild } from "./cpu-child.ts";
import { RestartPolicy } from "./restart-policy.ts";
import { processSocketPath } from "./runtime-dir.ts";
import type { CpuStatus } from "./status.ts";

/** After they were told of a new cpu process, socket workers have this long to connect before the old one is told to go. */
const SWITCH_MS = 500;

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
  /** All that live. */
  readonly #children = new Set<CpuChild>();
  /** The one that gets the tasks. */
  #child: CpuChild | undefined;
  #incarnation = 0;
  #restarts = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  /** Of the processes that are gone. */
  #pastTotals: TaskTotals = NO_TASKS;

  constructor(options: CpuSupervisorOptions) {
    super();
    this.#options = options;
    this.#log = options.log.child({ part: "cpu" });
    const { supervisor } = options.options;
    this.#policy = new RestartPolicy({
      ...supervisor,
      minDelayMs: supervisor.minRestartDelayMs,
      maxDelayMs: supervisor.maxRestartDelayMs,
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
    return this.#restarts;
  }

  /** How tasks ended and how long they took since the box started, over all cpu processes. Never goes down. */
  totals(): TaskTotals {
    return [...this.#children].reduce(
      (sum, { report }) => addTotals(sum, report?.totals ?? NO_TASKS),
      this.#pastTotals,
    );
  }

  /**
   * Puts a new process, which has loaded no task yet, in the place of the old one, which ends its tasks first.
   * Resolves to whether there was one to replace. Rejects with `ALLCORES_ERR_RELOAD_FAILED`, and the old one stays.
   */
  async replace(): Promise<boolean> {
    if (this.state !== "running") return false;
    const { drainTimeoutMs } = this.#options.options.supervisor;
    const successor = this.#fork();
    try {
      await successor.ready;
    } catch (error) {
      const { message } = toError(error);
      throw new AllcoresError("ALLCORES_ERR_RELOAD_FAILED", `${message} The old one goes on; the workers are new.`);
    }
    const former = this.#child;
    clearTimeout(this.#restartTimer);
    this.#child = successor;
    this.#restarts++;
    this.#policy.reset();
    this.#tellAll(successor);
    await delay(SWITCH_MS);
    await former?.drain(drainTimeoutMs);
    return true;
  }

  /** Resolves when the cpu process takes tasks; rejects with `ALLCORES_ERR_CPU_PROCESS` when the first one never does. */
  protected override async onStart(): Promise<void> {
    this.#options.peers.on("message", (peer, message) => this.#onMessage(peer, message));
    await this.#fill().ready;
  }

  protected override async onDrain(deadlineMs: number): Promise<void> {
    clearTimeout(this.#restartTimer);
    await Promise.all([...this.#children].map((child) => child.drain(deadlineMs)));
  }

  protected override async onClose(): Promise<void> {
    clearTimeout(this.#restartTimer);
    const children = [...this.#children];
    for (const child of children) child.kill("the box ends");
    await Promise.all(children.map(({ exited }) => exited));
  }

  #fill(): CpuChild {
    const child = this.#fork();
    this.#child = child;
    child.ready.then(
      () => this.#tellAll(child),
      () => {},
    );
    return child;
  }

  #fork(): CpuChild {
    const { options, bus, runtimeDir } = this.#options;
    this.#incarnation++;
    const child = new CpuChild({
      init: {
        type: "allcores:cpu-init",
        incarnation: this.#incarnation,
        busPath: bus.path,
        busSecret: bus.secret,
        path: processSocketPath(runtimeDir, "cpu", this.#incarnation),
        secret: randomBytes(32).toString("base64url"),
        options,
      },
      log: this.#log,
    });
    this.#children.add(child);
    void child.exited.then((reason) => this.#onExit(child, reason));
    return child;
  }

  #onMessage(peer: Peer, message: BusMessage): void {
    if (message.type === "cpuWanted") this.#tell(peer);
    if (peer.role !== "cpu") return;
    if (message.type === "cpuError") {
      const left = `A task left an error behind in its thread. ${message.error.name}: ${message.error.message}`;
      this.#options.onError(new AllcoresError("ALLCORES_ERR_TASK_FAILED", left), { stage: "cpu" });
    }
    const isSender = ({ init }: CpuChild): boolean => init.incarnation === peer.incarnation;
    [...this.#children].find(isSender)?.handle(peer, message);
  }

  #tellAll(child: CpuChild): void {
    this.#log.info({ incarnation: child.init.incarnation, cpuPid: child.pid }, "cpu process is ready");
    for (const peer of this.#options.peers.socketWorkers()) this.#tell(peer);
  }

  #tell(peer: Peer): void {
    if (this.#child?.state !== "ready") return;
    const { path, secret } = this.#child.init;
    peer.connection.send({ type: "cpuReady", path, secret });
  }

  #onExit(child: CpuChild, reason: string): void {
    this.#children.delete(child);
    this.#pastTotals = addTotals(this.#pastTotals, child.report?.totals ?? NO_TASKS);
    removeSocket(child.init.path);
    // A first process that never became ready fails the start instead.
    if (this.state !== "running" || child !== this.#child) return;
    const delayMs = this.#policy.delayAfterCrash(performance.now() - child.startedAt);
    this.#log.error({ reason, delayMs }, "cpu process ended; tasks it ran are lost, a new one is forked");
    this.#restarts++;
    this.#restartTimer = setTimeout(() => this.#fill(), delayMs);
  }
}

/** The process leaves it behind. At once: when the box ends, nobody waits for what takes a while. */
function removeSocket(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // One file too many is no reason to end the box.
  }
}
