// Hands connections to one worker over Node's IPC channel, and takes back those that never got there.
//
// Node sends one handle at a time, waits until the worker has acknowledged it, and queues the rest in this process. When
// the worker dies, the queued ones are untouched, and so is the one that was not acknowledged: the worker answers
// nothing before it acknowledges. Node itself forgets them all, open, and their clients would wait for ever.

import type { ChildProcess } from "node:child_process";
import type { Worker } from "node:cluster";
import { Socket } from "node:net";
import { handleOf, stopReading, type TcpHandle } from "./reading.ts";

/** Called when the connection never reached the worker: it is the caller's again, under this socket. */
export type GiveBack = (socket: Socket) => void;

interface Sent {
  readonly socket: Socket;
  readonly handle: TcpHandle;
  readonly giveBack: GiveBack;
}

/** What this needs of a child process and Node does not offer: the handle that waits to be acknowledged. */
type ProcessInternals = ChildProcess & { readonly _pendingMessage?: { readonly handle?: TcpHandle } | null };

export class HandOver {
  readonly #worker: Worker;
  /** Connections that Node has not written to the channel, as far as it said. */
  readonly #inLine = new Set<Sent>();
  /** The one it wrote last. */
  #written: Sent | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.once("exit", () => this.#takeBack());
  }

  /** Sends the connection with the bytes read from it. Stop reading it before: see `stopReading`. */
  send(socket: Socket, head: Buffer, isNew: boolean, giveBack: GiveBack): void {
    const handle = handleOf(socket);
    if (handle === undefined) {
      socket.destroy();
      return;
    }
    const sent: Sent = { socket, handle, giveBack };
    this.#inLine.add(sent);
    const message = { type: "sticky:connection", data: head, isNew };
    this.#worker.send(message, socket, { keepOpen: false }, (error) => {
      // Taken back already: the worker died meanwhile.
      if (!this.#inLine.delete(sent)) return;
      if (error === null) this.#written = sent;
      else if (handleOf(socket) === undefined) socket.destroy();
      else giveBack(socket);
    });
  }

  #takeBack(): void {
    const { _pendingMessage: pending } = this.#worker.process as ProcessInternals;
    const sent = [...(this.#written === undefined ? [] : [this.#written]), ...this.#inLine];
    this.#inLine.clear();
    for (const { socket, handle, giveBack } of sent) {
      if (handleOf(socket) !== undefined) giveBack(socket);
      else if (pending?.handle === handle) giveBack(reopen(handle));
    }
  }
}

/** A new socket, not reading, around a handle that Node took off the first one. */
function reopen(handle: TcpHandle): Socket {
  const socket = new Socket({ handle, allowHalfOpen: true, pauseOnCreate: true } as object);
  stopReading(socket);
  return socket;
}
