// The app's HTTP requests that have no whole answer yet. Node's `server.close()` waits for the connections of a server
// that listens; this one is given its connections, so nobody else counts them.

import type { ServerResponse } from "node:http";
import { type Deferred, defer } from "../lib/deadline.ts";

export class RequestsInFlight {
  #count = 0;
  #idle: Deferred<void> | undefined;

  add(response: ServerResponse): void {
    this.#count++;
    response.once("close", () => {
      this.#count--;
      if (this.#count === 0) this.#idle?.resolve();
    });
  }

  /** Resolves when there is none. */
  done(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    this.#idle ??= defer();
    return this.#idle.promise;
  }
}
