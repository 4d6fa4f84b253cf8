// Tells which requests on a kept connection are another worker's, as behind a proxy that sends requests of many clients
// over few connections. The first request of a connection never is: the router has chosen this worker for it.

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { sessionIdIn } from "../lib/request-target.ts";
import { sessionIdPrefix, type WorkerName, workerOfSessionId } from "../lib/session-id.ts";

/** What the ids of the owner's sessions begin with; `anyone` for a session that begins, which the router places. */
export type Elsewhere = string | "anyone";

export class RequestsElsewhere {
  readonly #path: string;
  readonly #ownPrefix: string;
  readonly #known = new WeakSet<Duplex>();

  /** `path` is where Socket.IO answers: whatever else comes is answered by the app, here as well as anywhere. */
  constructor(path: string, name: WorkerName) {
    this.#path = path;
    this.#ownPrefix = sessionIdPrefix(name);
  }

  /** Whose the request is, when it is not this worker's. Call it once for each request. */
  ownerOf({ socket, url = "", method }: IncomingMessage): Elsewhere | undefined {
    if (!this.#known.has(socket)) {
      this.#known.add(socket);
      return undefined;
    }
    if (!url.startsWith(this.#path)) return undefined;
    const id = sessionIdIn(url);
    if (id === undefined) return method === "GET" ? "anyone" : undefined;
    if (workerOfSessionId(id) === undefined || id.startsWith(this.#ownPrefix)) return undefined;
    return id.slice(0, this.#ownPrefix.length);
  }
}
