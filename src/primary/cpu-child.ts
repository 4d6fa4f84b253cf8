// One cpu process as the primary sees it: forked, watched for silence, told to finish, killed.
//
//   starting --ready--> ready --drain--> draining --exit--> gone      (every state: --exit--> gone)

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { CpuInit } from "../bus/cpu-init.ts";
import type { CpuReportMessage } from "../bus/cpu-messages.ts";
import { type BusMessage, fromWireError } from "../bus/messages.ts";
import type { Peer } from "../bus/peers.ts";
import { AllcoresError, clauseOf } from "../errors.ts";
import { childStart } from "../lib/child-start.ts";
import { type Deferred, defer } from "../lib/deadline.ts";
import type { Logger } from "../lib/logger.ts";
import { logOutput } from "./child-output.ts";

const CPU_FILE = fileURLToPath(new URL("../cpu/cpu-process.js", import.meta.url));

const SILENCE_CHECK_MS = 500;

export type CpuState = "starting" | "ready" | "draining" | "gone";

export interface CpuChildOptions {
  readonly init: CpuInit;
  readonly log: Logger;
}

export class CpuChild {
  readonly init: CpuInit;
  readonly startedAt = performance.now();
  /** Rejects when the process ends, or takes too long, before it is ready. */
  readonly ready: Promise<void>;
  /** Resolves to what ended the process, in words. */
  readonly exited: Promise<string>;
  readonly #process: ChildProcess;
  readonly #ready: Deferred<void> = defer();
  readonly #exited: Deferred<string> = defer();
  readonly #watch: NodeJS.Timeout;
  #state: CpuState = "starting";
  #peer: Peer | undefined;
  #report: CpuReportMessage | undefined;
  #heardAt = performance.now();
  #reason: string | undefined;

  constructor({ init, log }: CpuChildOptions) {
    this.init = init;
    this.ready = this.#ready.promise;
    this.ready.catch(() => {});
    this.exited = this.#exited.promise;

    // What tasks print must reach neither the stdout of the box nor block anybody.
    const stdio = ["ignore", "pipe", "pipe", "ipc"] as const;
    const start = childStart();
    this.#process = fork(CPU_FILE, start.args, {
      stdio: [...stdio],
      execPath: start.execPath,
      execArgv: [...start.execArgv, ...process.execArgv.filter(isForChildren)],
    });
    logOutput(this.#process, log);
    this.#process.once("error", (error) => this.#onExit(`it cannot be forked: ${error.message}`));
    this.#process.once("exit", (code, signal) => {
      this.#onExit(signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`);
    });
    // Without a process there is no channel either.
    this.#process.send?.(init, () => {});
    this.#watch = setInterval(() => this.#checkSilence(), SILENCE_CHECK_MS);
  }

  get state(): CpuState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The last numbers it reported. */
  get report(): CpuReportMessage | undefined {
    return this.#report;
  }

  /** Takes what came over the bus from this process. */
  handle(peer: Peer, message: BusMessage): void {
    this.#peer = peer;
    this.#heardAt = performance.now();
    if (message.type === "cpuReport") this.#report = message;
    if (message.type === "startFailed") this.#reason = clauseOf(fromWireError(message.error));
    if (message.type === "ready" && this.#state === "starting") {
      this.#state = "ready";
      this.#ready.resolve();
    }
  }

  /** Lets it finish its tasks; it is killed when it has not by the deadline. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#state === "gone") return;
    this.#state = "draining";
    const isTold = this.#peer?.connection.send({ type: "drain", deadlineMs }) ?? false;
    if (!isTold) this.kill("it was not connected when the box stopped");

    const timer = setTimeout(() => this.kill("its tasks took longer than the drain"), deadlineMs);
    await this.exited;
    clearTimeout(timer);
  }

  kill(reason: string): void {
    this.#reason ??= reason;
    this.#process.kill("SIGKILL");
  }

  /** Its reports, one a second, are the sign that it does not hang. */
  #checkSilence(): void {
    const { supervisor, cpu } = this.init.options;
    const limitMs = this.#state === "starting" ? supervisor.startTimeoutMs : cpu.hangTimeoutMs;
    const isSilent = (): boolean => performance.now() - this.#heardAt > limitMs;
    // If it was the primary that hung, the reports are there and are read before the immediate.
    if (isSilent()) setImmediate(() => isSilent() && this.kill(`it was silent for ${limitMs} ms`));
  }

  #onExit(how: string): void {
    if (this.#state === "gone") return;
    const reason = this.#reason ?? how;
    clearInterval(this.#watch);
    this.#state = "gone";
    this.#ready.reject(new AllcoresError("ALLCORES_ERR_CPU_PROCESS", `The cpu process cannot start: ${reason}.`));
    this.#exited.resolve(reason);
  }
}

/** An inspector's port can be had once. */
function isForChildren(argument: string): boolean {
  return !argument.startsWith("--inspect");
}
