// One socket worker as the cpu process sees it: its tasks come in, their outcomes go out.
// When its connection closes, its tasks end with it.

import { once } from "node:events";
import type { BusConnection } from "../bus/connection.ts";
import type { TaskMessage } from "../bus/cpu-messages.ts";
import type { BusMessage } from "../bus/messages.ts";
import { AllcoresError } from "../errors.ts";
import { taskAbortedError, taskUnknownError, toTaskError } from "./task-errors.ts";
import type { TaskQueue, Ticket } from "./task-queue.ts";
import { TaskFolder } from "./tasks.ts";

export interface CallerOptions {
  readonly connection: BusConnection;
  readonly queue: TaskQueue;
  /** False from the moment on at which the cpu process finishes what it has. */
  readonly takesTasks: () => boolean;
}

export class Caller {
  readonly #options: CallerOptions;
  /** The caller's tasks by its own ids; `undefined` while the file is being looked up. */
  readonly #tickets = new Map<number, Ticket | undefined>();
  readonly #runs = new Set<Promise<void>>();
  #folder: TaskFolder | undefined;

  constructor(options: CallerOptions) {
    this.#options = options;
    const { connection } = options;
    connection.on("message", (message, body) => this.#handle(message, body));
    connection.on("close", () => {
      for (const id of this.#tickets.keys()) this.#abort(id);
    });
  }

  /** Resolves when all its tasks have been answered. */
  async idle(): Promise<void> {
    await Promise.all(this.#runs);
  }

  /** Closes the connection once everything that was sent has been read. */
  async hangUp(): Promise<void> {
    const { connection } = this.#options;
    if (!connection.isOpen) return;
    const closed = once(connection, "close");
    connection.end();
    await closed;
  }

  #handle(message: BusMessage, body: Buffer): void {
    switch (message.type) {
      case "taskFolder":
        this.#folder = new TaskFolder(message.url);
        break;
      case "task":
        // The body is a view into the receive buffer; the payload gets memory of its own, which can move to a thread.
        this.#keep(this.#run(message, new Uint8Array(body)));
        break;
      case "taskAbort":
        this.#abort(message.id);
        break;
    }
  }

  #keep(run: Promise<void>): void {
    this.#runs.add(run);
    void run.finally(() => this.#runs.delete(run));
  }

  async #run(message: TaskMessage, payload: Uint8Array<ArrayBuffer>): Promise<void> {
    const { id } = message;
    const { connection } = this.#options;
    this.#tickets.set(id, undefined);
    try {
      const result = await this.#submit(message, payload);
      connection.send({ type: "taskDone", id }, result);
    } catch (error) {
      connection.send({ type: "taskFailed", id, error: toTaskError(error) });
    } finally {
      this.#tickets.delete(id);
    }
  }

  async #submit({ id, task, deadlineMs }: TaskMessage, payload: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const { connection, queue, takesTasks } = this.#options;
    if (!takesTasks()) throw new AllcoresError("ALLCORES_ERR_CLOSED", "The box is stopping and takes no new tasks.");
    if (this.#folder === undefined) throw taskUnknownError(task, []);
    const file = await this.#folder.find(task);

    const wasAborted = !this.#tickets.has(id);
    if (wasAborted) throw taskAbortedError(task);
    const onStart = (): void => void connection.send({ type: "taskStarted", id });
    const ticket = queue.submit({ task, file, payload, deadlineMs, onStart });
    this.#tickets.set(id, ticket);
    return ticket.result;
  }

  #abort(id: number): void {
    this.#tickets.get(id)?.abort();
    this.#tickets.delete(id);
  }
}
