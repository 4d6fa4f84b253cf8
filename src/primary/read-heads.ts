// Reads the request heads of new connections, each for so long. What is beyond a head stays with it: nobody has read it.

import type { Socket } from "node:net";
import type { Visit, VisitProgress } from "./admission/visit.ts";
import type { RefusalReason } from "./refuse.ts";

export interface ReadHeadsOptions {
  readonly timeoutMs: number;
  readonly onComplete: (socket: Socket, visit: Visit) => void;
  readonly onRefused: (socket: Socket, reason: RefusalReason) => void;
  /** It began with what is no header of the PROXY protocol. */
  readonly onBadProxyHeader: (socket: Socket) => void;
}

export class ReadHeads {
  readonly #options: ReadHeadsOptions;
  readonly #reading = new Set<Socket>();

  constructor(options: ReadHeadsOptions) {
    this.#options = options;
  }

  /** Connections whose head is being read. */
  get count(): number {
    return this.#reading.size;
  }

  read(socket: Socket, visit: Visit): void {
    const { timeoutMs, onRefused } = this.#options;
    const finish = (): void => {
      clearTimeout(timer);
      socket.off("data", onData);
      socket.off("end", onEnd);
      socket.off("close", finish);
      this.#reading.delete(socket);
    };
    const onData = (chunk: Buffer): void => {
      const progress = visit.push(chunk);
      if (progress === "more") return;
      finish();
      this.#settle(socket, visit, progress);
    };
    const onEnd = (): void => {
      finish();
      socket.destroy();
    };
    const timer = setTimeout(() => {
      finish();
      onRefused(socket, 408);
    }, timeoutMs);

    this.#reading.add(socket);
    socket.on("data", onData);
    socket.on("end", onEnd);
    socket.on("close", finish);
  }

  /** Takes a head that is whole: another process has read it. */
  take(socket: Socket, visit: Visit, bytes: Buffer): void {
    const progress = visit.push(bytes);
    this.#settle(socket, visit, progress === "more" ? "malformed" : progress);
  }

  /** The port is closed: who is still being read is answered 503. */
  close(): void {
    for (const socket of this.#reading) this.#options.onRefused(socket, 503);
    this.#reading.clear();
  }

  #settle(socket: Socket, visit: Visit, progress: Exclude<VisitProgress, "more">): void {
    const { onComplete, onRefused, onBadProxyHeader } = this.#options;
    if (progress === "complete") onComplete(socket, visit);
    else if (progress === "badProxyHeader") onBadProxyHeader(socket);
    else onRefused(socket, progress === "tooLarge" ? 431 : progress === "malformed" ? 400 : progress);
  }
}
