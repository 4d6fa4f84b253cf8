// Tells the hub what `socket.data` is, so that a client that comes back finds it, whatever became of this worker.
// The moments: right after the connection handlers have run, within a second after the socket sent something, and when
// its connection is lost. What has not changed is not sent again.

import type { Socket } from "socket.io";
import { packPayload } from "./payload.ts";

const INTERVAL_MS = 1000;

export class SessionData {
  readonly #send: (id: string, bytes: Buffer) => void;
  readonly #last = new Map<string, Buffer>();
  #touched = new Map<string, Socket>();
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (id: string, bytes: Buffer) => void) {
    this.#send = send;
  }

  /** The socket's handlers may have changed its data. */
  touch(socket: Socket): void {
    this.#touched.set(socket.id, socket);
    this.#timer ??= setTimeout(() => this.#saveTouched(), INTERVAL_MS);
  }

  save(id: string, data: unknown): void {
    const bytes = packPayload(data);
    if (this.#last.get(id)?.equals(bytes)) return;
    this.#last.set(id, bytes);
    this.#send(id, bytes);
  }

  forget(id: string): void {
    this.#touched.delete(id);
    this.#last.delete(id);
  }

  #saveTouched(): void {
    const touched = this.#touched;
    this.#touched = new Map();
    this.#timer = undefined;
    for (const [id, { data, connected }] of touched) if (connected) this.save(id, data);
  }
}
