// The listening end of the bus: lets in who shows the secret and speaks the same build, refuses everybody else.

import { timingSafeEqual } from "node:crypto";
import { chmod, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { AllcoresError } from "../errors.ts";
import { Lifecycle } from "../lib/lifecycle.ts";
import { BUILD } from "./build.ts";
import { BusConnection, type BusConnectionOptions } from "./connection.ts";
import { type BusMessage, type HelloMessage, toWireError } from "./messages.ts";

export interface BusServerOptions extends BusConnectionOptions {
  /** Path of the unix socket. Its mode is 0600. */
  readonly path: string;
  /** What a peer must show; see `secretFor`. */
  readonly secret: string;
  /** A peer that has not said hello by then is closed, in milliseconds. @default 5000 */
  readonly helloTimeoutMs?: number;
  /** A peer was let in. Attach the listeners at once: its next message may be in the same chunk. */
  readonly onPeer: (connection: BusConnection, hello: HelloMessage) => void;
}

export class BusServer extends Lifecycle {
  readonly #options: BusServerOptions;
  readonly #connections = new Set<BusConnection>();
  readonly #server: Server = createServer((socket) => this.#accept(socket));

  constructor(options: BusServerOptions) {
    super();
    this.#options = options;
  }

  /** Whether more waits on some connection than the system takes at a time. */
  get isBackedUp(): boolean {
    for (const connection of this.#connections) if (connection.isBackedUp) return true;
    return false;
  }

  protected override async onStart(): Promise<void> {
    const { path } = this.#options;
    await rm(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(path, resolve);
    });
    await chmod(path, 0o600);
  }

  protected override async onClose(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    const connection = new BusConnection(socket, this.#options);
    this.#connections.add(connection);
    const timer = setTimeout(() => connection.destroy(), this.#options.helloTimeoutMs ?? 5000);
    connection.on("close", () => {
      clearTimeout(timer);
      this.#connections.delete(connection);
    });
    connection.once("message", (message) => {
      clearTimeout(timer);
      this.#greet(connection, message);
    });
  }

  #greet(connection: BusConnection, message: BusMessage): void {
    const refusal = this.#refusalOf(message);
    if (refusal !== undefined || message.type !== "hello") {
      connection.send({ type: "refused", error: toWireError(refusal) });
      connection.end();
      return;
    }
    connection.send({ type: "welcome" });
    this.#options.onPeer(connection, message);
  }

  #refusalOf(message: BusMessage): AllcoresError | undefined {
    if (message.type !== "hello" || !isSameSecret(message.secret, this.#options.secret)) {
      return new AllcoresError("ALLCORES_ERR_BUS_REFUSED", "The peer did not show the secret of this box.");
    }
    if (message.build === BUILD) return undefined;
    return new AllcoresError(
      "ALLCORES_ERR_BUS_REFUSED",
      `The peer is allcores ${String(message.build)}, this primary is ${BUILD}. Restart the box to change the version.`,
    );
  }
}

function isSameSecret(shown: unknown, expected: string): boolean {
  const a = Buffer.from(String(shown));
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}
