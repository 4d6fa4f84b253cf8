// The router's way in for workers: a unix socket to which they send requests that are another worker's.

import { chmod, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { Lifecycle } from "../lib/lifecycle.ts";

export interface RelayServerOptions {
  /** Path of the unix socket. Its mode is 0600. */
  readonly path: string;
  readonly onConnection: (connection: Socket) => void;
}

export class RelayServer extends Lifecycle {
  readonly #path: string;
  readonly #server: Server;

  constructor({ path, onConnection }: RelayServerOptions) {
    super();
    this.#path = path;
    this.#server = createServer({ allowHalfOpen: true }, onConnection);
  }

  protected override async onStart(): Promise<void> {
    await rm(this.#path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ path: this.#path, backlog: 4096 }, resolve);
    });
    // Out of file descriptors, for one: it accepts again when it can.
    this.#server.on("error", () => {});
    await chmod(this.#path, 0o600);
  }

  protected override onClose(): Promise<void> {
    this.#server.close();
    return Promise.resolve();
  }
}
