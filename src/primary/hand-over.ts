// Hands connections to one worker over Node's IPC channel, and knows which of them have not left yet.
// Node sends one handle at a time and queues the rest in this process: when the worker dies, those can go elsewhere.

import type { Worker } from "node:cluster";
import type { Socket } from "node:net";

export class HandOver {
  readonly #worker: Worker;
  readonly #inLine = new Map<Socket, (left: boolean) => void>();

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.once("exit", () => this.#giveBack());
  }

  /** Connections that wait for the worker to take those before them. */
  get inLine(): number {
    return this.#inLine.size;
  }

  /** Resolves to `true` when the handle has left this process, to `false` when it never will: then it is the caller's again. */
  send(socket: Socket, head: Buffer, isNew: boolean): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (left: boolean): void => {
        if (this.#inLine.delete(socket)) resolve(left);
      };
      this.#inLine.set(socket, settle);
      const message = { type: "sticky:connection", data: head, isNew };
      try {
        this.#worker.send(message, socket, { keepOpen: false }, (error) => settle(error === null || !isOpen(socket)));
      } catch {
        settle(!isOpen(socket));
      }
    });
  }

  #giveBack(): void {
    for (const [socket, settle] of [...this.#inLine]) settle(!isOpen(socket));
  }
}

/** Node takes the handle off the socket when it sends it. */
function isOpen(socket: Socket): boolean {
  const { _handle: handle } = socket as Socket & { _handle?: object | null };
  return !socket.destroyed && handle !== null && handle !== undefined;
}
