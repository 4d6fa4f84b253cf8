// Hands connections to one worker over Node's IPC channel, and takes back those that never got there.
//
// Node sends one handle at a time, waits until the worker has acknowledged it, and queues the rest in this process. With
// each acknowledgement it goes through its whole queue again, so a storm of n connections would cost n * n: the queue is
// kept here, and Node gets no more than it needs to be busy.
//
// When the worker dies, the queued ones are untouched, and so is the one that was not acknowledged: the worker answers
// nothing before it acknowledges. Node itself forgets them all, open, and their clients would wait for ever.
//
// A worker that is out of file descriptors gets the message without the handle, and says so. Node would send it again,
// wrapped twice, and when that succeeds be acknowledged twice, which ends this process by a failed assertion.

import type { ChildProcess } from "node:child_process";
import type { Worker } from "node:cluster";
import { Socket } from "node:net";
import { handleOf, stopReading, type TcpHandle } from "../lib/reading.ts";
import type { Passport } from "./admission/visit.ts";

/** Why a worker did not get a connection: one of the two is gone, it has no file descriptor, it was busy too long. */
export type GivenBack = "gone" | "full" | "late";

/** Called when the connection does not reach the worker: it is the caller's again, under this socket. */
export type GiveBack = (socket: Socket, why: GivenBack) => void;

/** What goes with a connection. */
export interface HandOverNote extends Passport {
  /** It will become a client, and is not a further request of one. */
  readonly isNew: boolean;
}

interface Sent {
  readonly socket: Socket;
  readonly message: object;
  readonly handle: TcpHandle;
  readonly giveBack: GiveBack;
  /** Milliseconds of a clock that only goes forward. */
  readonly queuedAt: number;
}

/** What this needs of a child process and Node does not offer: the handle that waits to be acknowledged. */
type ProcessInternals = ChildProcess & { readonly _pendingMessage?: { handle?: Pick<TcpHandle, "close"> } | null };

/** A worker that was out of file descriptors is not given new clients for so long. */
const FULL_FOR_MS = 1000;
/** Connections that Node has and has not written: one to write, and one for the moment when that is acknowledged. */
const IN_NODE = 2;

export class HandOver {
  readonly #worker: Worker;
  readonly #maxWaitMs: number;
  /** In order of arrival. */
  readonly #queue = new Set<Sent>();
  /** Connections that Node has not written to the channel, as far as it said. */
  readonly #inLine = new Set<Sent>();
  /** The one it wrote last. */
  #written: Sent | undefined;
  #fullUntilMs = 0;

  /** A connection that has waited longer than `maxWaitMs` is given back. */
  constructor(worker: Worker, maxWaitMs: number) {
    this.#worker = worker;
    this.#maxWaitMs = maxWaitMs;
    worker.once("exit", () => this.#takeBack());
    // Before Node's own listener.
    worker.process.prependListener("internalMessage", (message: { cmd?: unknown } | null) => {
      if (message?.cmd === "NODE_HANDLE_NACK" && this.#takePending()) message.cmd = "NODE_HANDLE_ACK";
    });
  }

  /** The worker was out of file descriptors a moment ago. */
  get isFull(): boolean {
    return performance.now() < this.#fullUntilMs;
  }

  /** A connection has not been taken by the worker yet, and each further one takes a turn of the event loop. */
  get isBusy(): boolean {
    return this.#inLine.size + this.#queue.size > 0 || this.#pendingMessage() !== undefined;
  }

  /**
   * Sends the connection with the bytes read from it. Stop reading it before: see `stopReading`.
   * Returns `false` when it is closed already.
   */
  send(socket: Socket, head: Buffer, note: HandOverNote, giveBack: GiveBack): boolean {
    const handle = handleOf(socket);
    if (handle === undefined) {
      socket.destroy();
      return false;
    }
    const message = { type: "sticky:connection", data: head, ...note };
    const sent: Sent = { socket, message, handle, giveBack, queuedAt: performance.now() };
    if (this.#inLine.size < IN_NODE) this.#sendNow(sent);
    else this.#queue.add(sent);
    return true;
  }

  #sendNow(sent: Sent): void {
    const { socket, message } = sent;
    this.#inLine.add(sent);
    this.#worker.send(message, socket, { keepOpen: false }, (error) => {
      // Else it has been given back already.
      if (this.#inLine.delete(sent)) this.#onSent(sent, error);
      this.#sendNext();
    });
  }

  #onSent(sent: Sent, error: Error | null): void {
    const { socket, giveBack } = sent;
    if (error === null) this.#written = sent;
    else if (handleOf(socket) === undefined) socket.destroy();
    else giveBack(socket, "gone");
  }

  #sendNext(): void {
    const next = this.#inLine.size < IN_NODE ? this.#takeNext() : undefined;
    if (next !== undefined) this.#sendNow(next);
  }

  /** The next that is still there and has not waited too long. */
  #takeNext(): Sent | undefined {
    const oldest = performance.now() - this.#maxWaitMs;
    for (const sent of this.#queue) {
      this.#queue.delete(sent);
      const isOpen = handleOf(sent.socket) !== undefined;
      if (isOpen && sent.queuedAt >= oldest) return sent;
      sent.giveBack(sent.socket, isOpen ? "late" : "gone");
    }
    return undefined;
  }

  #takeBack(): void {
    const pending = this.#pendingMessage();
    const sent = [...(this.#written === undefined ? [] : [this.#written]), ...this.#inLine, ...this.#queue];
    this.#inLine.clear();
    this.#queue.clear();
    for (const { socket, handle, giveBack } of sent) {
      if (handleOf(socket) !== undefined) giveBack(socket, "gone");
      else if (pending?.handle === handle) giveBack(reopen(handle), "gone");
    }
  }

  /** The worker could not take the handle that Node waits for. Node is left with one that it may close. */
  #takePending(): boolean {
    const pending = this.#pendingMessage();
    const sent = [this.#written, ...this.#inLine].find((each) => each !== undefined && each.handle === pending?.handle);
    if (pending === undefined || sent === undefined) return false;
    pending.handle = { close: () => {} };
    this.#inLine.delete(sent);
    this.#written = undefined;
    this.#fullUntilMs = performance.now() + FULL_FOR_MS;
    sent.giveBack(reopen(sent.handle), "full");
    this.#sendNext();
    return true;
  }

  #pendingMessage(): { handle?: Pick<TcpHandle, "close"> } | undefined {
    return (this.#worker.process as ProcessInternals)._pendingMessage ?? undefined;
  }
}

/** A new socket, not reading, around a handle that Node took off the first one. */
function reopen(handle: TcpHandle): Socket {
  const socket = new Socket({ handle, allowHalfOpen: true, pauseOnCreate: true } as object);
  stopReading(socket);
  return socket;
}
