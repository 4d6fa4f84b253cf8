// What an app calls `box.cpu`: runs tasks in the cpu process and turns every way they can end into a promise.
// A task that no thread had begun when the cpu process died goes to its successor; one that had begun is rejected.

import type { BusConnection } from "../bus/connection.ts";
import { taskBusLimits } from "../bus/cpu-init.ts";
import type { BusMessage } from "../bus/messages.ts";
import { AllcoresError, InvalidOptionError, PoolSaturatedError } from "../errors.ts";
import { type Deferred, defer, settledWithin } from "../lib/deadline.ts";
import type { Logger } from "../lib/logger.ts";
import type { Options } from "../options/options.ts";
import { decodeValue, encodeValue } from "./codec.ts";
import { CpuLink } from "./cpu-link.ts";
import {
  fromTaskError,
  taskAbortedError,
  taskCrashedError,
  taskDeadlineError,
  taskUnknownError,
} from "./task-errors.ts";
import { findTaskFolder } from "./tasks.ts";

/** Longest wait of Node's timers. */
const MAX_DEADLINE_MS = 2_147_483_647;
const MAX_TASK_NAME_LENGTH = 256;

export interface CpuRunOptions {
  /** Time for waiting and running, in milliseconds; a task that is late is ended. @default the option cpu.deadlineMs */
  readonly deadlineMs?: number;
  /** Ends the task when it fires. */
  readonly signal?: AbortSignal;
}

export interface CpuClientOptions {
  /** The connection to the primary. What it says has to be passed to `handle`. */
  readonly bus: Pick<BusConnection, "send">;
  readonly slot: number;
  readonly incarnation: number;
  readonly options: Options;
  readonly log: Logger;
  /** The app's task folder, as a file URL or an absolute path. Without it every task is unknown. */
  readonly tasks?: URL | string | undefined;
}

interface PendingTask {
  readonly id: number;
  readonly task: string;
  readonly deadlineMs: number;
  readonly deadlineAt: number;
  readonly result: Deferred<unknown>;
  readonly stopWaiting: () => void;
  /** Kept until a thread begins with it. */
  payload: Uint8Array | undefined;
  /** The cpu process that has it. */
  via: BusConnection | undefined;
}

export class CpuClient {
  readonly #options: CpuClientOptions;
  readonly #link: CpuLink;
  readonly #folder: string | undefined;
  readonly #pending = new Map<number, PendingTask>();
  #waitingBytes = 0;
  #lastId = 0;
  #isClosed = false;
  #idle: Deferred<void> | undefined;

  /** Throws `ALLCORES_ERR_APP` when `tasks` names no folder. */
  constructor(options: CpuClientOptions) {
    this.#options = options;
    this.#folder = options.tasks === undefined ? undefined : findTaskFolder(options.tasks);
    const { bus, slot, incarnation, log } = options;
    this.#link = new CpuLink({
      isWanted: this.#folder !== undefined,
      bus,
      slot,
      incarnation,
      log,
      limits: taskBusLimits(options.options),
      onOpen: () => this.#onOpen(),
      onMessage: (message, body) => this.#onMessage(message, body),
      onClose: (connection) => this.#onClose(connection),
    });
  }

  /** Tasks of this socket worker that have not ended. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * Runs the task in the file of that name and resolves to what it returns. Payload and result are structured clones.
   *
   * Rejects with `ALLCORES_ERR_POOL_SATURATED` (at once), `_TASK_UNKNOWN`, `_TASK_PAYLOAD`, `_TASK_FAILED` (what the
   * task threw is the cause), `_TASK_DEADLINE`, `_TASK_ABORTED`, `_TASK_CRASHED` or `_CLOSED`.
   */
  async run<Result = unknown>(task: string, payload?: unknown, options: CpuRunOptions = {}): Promise<Result> {
    const { cpu } = this.#options.options;
    const { deadlineMs = cpu.deadlineMs, signal } = options;
    if (!(deadlineMs > 0 && deadlineMs <= MAX_DEADLINE_MS)) {
      throw new InvalidOptionError("deadlineMs", `a number of milliseconds up to ${MAX_DEADLINE_MS}`, deadlineMs);
    }
    if (this.#isClosed) throw closedError();
    if (signal?.aborted) throw taskAbortedError(task, signal.reason);
    if (this.#folder === undefined || !isTaskName(task)) throw taskUnknownError(String(task), []);
    if (this.#pending.size >= cpu.maxQueue + cpu.threads) throw new PoolSaturatedError(this.#pending.size);

    const bytes = encodeValue(payload, cpu.maxPayloadBytes, `The payload of task "${task}"`);
    if (this.#waitingBytes + bytes.length > cpu.maxQueueBytes) throw new PoolSaturatedError(this.#pending.size);
    return this.#submit(task, bytes, deadlineMs, signal) as Promise<Result>;
  }

  /** Takes what came over the bus from the primary; ignores what is not about the cpu process. */
  handle(message: BusMessage): void {
    if (message.type === "cpuReady") this.#link.cpuReady(message);
  }

  /** Resolves when no task is pending any more, or after `deadlineMs` milliseconds. New tasks are still taken. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#pending.size === 0) return;
    this.#idle ??= defer();
    await settledWithin(this.#idle.promise, deadlineMs);
  }

  /** Rejects what is pending with `ALLCORES_ERR_CLOSED` and lets the connection go. */
  close(): void {
    this.#isClosed = true;
    this.#link.close();
    for (const pending of this.#pending.values()) this.#reject(pending, closedError());
  }

  #submit(task: string, payload: Uint8Array, deadlineMs: number, signal: AbortSignal | undefined): Promise<unknown> {
    const id = ++this.#lastId;
    const timer = setTimeout(() => this.#expire(pending), deadlineMs);
    const onAbort = (): void => this.#giveUp(pending, taskAbortedError(task, signal?.reason));
    signal?.addEventListener("abort", onAbort, { once: true });
    const pending: PendingTask = {
      id,
      task,
      deadlineMs,
      deadlineAt: performance.now() + deadlineMs,
      result: defer(),
      stopWaiting: () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      },
      payload,
      via: undefined,
    };
    this.#pending.set(id, pending);
    this.#waitingBytes += payload.length;
    this.#send(pending);
    return pending.result.promise;
  }

  /** Without a connection nothing is sent: `#onOpen` does it later. */
  #send(pending: PendingTask): void {
    const { id, task, deadlineAt, payload } = pending;
    const deadlineMs = Math.max(1, deadlineAt - performance.now());
    pending.via = this.#link.connection;
    pending.via?.send({ type: "task", id, task, deadlineMs }, payload);
  }

  #onOpen(): void {
    if (this.#folder !== undefined) this.#link.connection?.send({ type: "taskFolder", url: this.#folder });
    for (const pending of this.#pending.values()) {
      if (pending.via === undefined) this.#send(pending);
    }
  }

  #onMessage(message: BusMessage, body: Buffer): void {
    if (message.type !== "taskStarted" && message.type !== "taskDone" && message.type !== "taskFailed") return;
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    if (message.type === "taskStarted") this.#dropPayload(pending);
    if (message.type === "taskDone") this.#resolve(pending, body);
    if (message.type === "taskFailed") this.#onFailed(pending, fromTaskError(message.error));
  }

  /** A cpu process that is being replaced takes no new tasks: one that was on its way goes to the other. */
  #onFailed(pending: PendingTask, error: AllcoresError): void {
    const isTurnedAway = error.code === "ALLCORES_ERR_CLOSED" && pending.payload !== undefined;
    if (isTurnedAway && pending.via !== this.#link.connection) this.#send(pending);
    else this.#reject(pending, error);
  }

  #onClose(connection: BusConnection): void {
    for (const pending of this.#pending.values()) {
      if (pending.via !== connection) continue;
      if (pending.payload === undefined) this.#reject(pending, taskCrashedError(pending.task));
      else this.#send(pending);
    }
  }

  #expire(pending: PendingTask): void {
    const { task, deadlineMs, payload } = pending;
    this.#giveUp(pending, taskDeadlineError(task, deadlineMs, payload === undefined));
  }

  #giveUp(pending: PendingTask, error: AllcoresError): void {
    pending.via?.send({ type: "taskAbort", id: pending.id });
    this.#reject(pending, error);
  }

  #resolve(pending: PendingTask, body: Buffer): void {
    this.#forget(pending);
    pending.result.resolve(decodeValue(body));
  }

  #reject(pending: PendingTask, error: AllcoresError): void {
    this.#forget(pending);
    pending.result.reject(error);
  }

  #forget(pending: PendingTask): void {
    pending.stopWaiting();
    this.#dropPayload(pending);
    this.#pending.delete(pending.id);
    if (this.#pending.size > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  #dropPayload(pending: PendingTask): void {
    this.#waitingBytes -= pending.payload?.length ?? 0;
    pending.payload = undefined;
  }
}

function isTaskName(task: unknown): task is string {
  return typeof task === "string" && task.length <= MAX_TASK_NAME_LENGTH;
}

function closedError(): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_CLOSED", "This socket worker is closed and runs no more tasks.");
}
