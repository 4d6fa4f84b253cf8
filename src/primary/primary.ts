// The primary of a box: composes router, supervisor and bus, and starts and stops them in order.
// It has no business logic of its own.

import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import { join } from "node:path";
import { BusServer } from "../bus/bus-server.ts";
import { Peers } from "../bus/peers.ts";
import type { AllcoresError } from "../errors.ts";
import { Lifecycle } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/logger.ts";
import type { Options } from "../options/options.ts";
import { Router } from "./router.ts";
import { Supervisor } from "./supervisor.ts";

export interface PrimaryOptions {
  readonly options: Options;
  /** The app module. */
  readonly appUrl: URL;
  readonly log: Logger;
  /** Folder for the box's unix sockets, private to its user. */
  readonly runtimeDir: string;
  /** An inherited listening socket (systemd's socket activation), instead of host and port. */
  readonly listenFd?: number | undefined;
}

interface PrimaryEvents {
  /** The box cannot go on: close it and exit with the error's code. */
  failed: [error: AllcoresError];
}

export class Primary extends Lifecycle {
  readonly events = new EventEmitter<PrimaryEvents>();
  readonly #peers = new Peers();
  readonly #bus: BusServer;
  readonly #supervisor: Supervisor;
  readonly #router: Router;

  constructor({ options, appUrl, log, runtimeDir, listenFd }: PrimaryOptions) {
    super();
    const busPath = join(runtimeDir, `bus-${process.pid}.sock`);
    const busSecret = randomBytes(32).toString("base64url");
    this.#bus = new BusServer({
      path: busPath,
      secret: busSecret,
      onPeer: (connection, hello) => this.#peers.add(connection, hello),
    });
    this.#supervisor = new Supervisor({
      peers: this.#peers,
      log,
      init: { busPath, busSecret, appUrl: appUrl.href, options },
    });
    this.#router = new Router({
      options,
      listenFd,
      targets: () => this.#supervisor.routeTargets(),
      events: { onAccepted: () => {}, onAssigned: () => {}, onRefused: () => {} },
    });
    this.#supervisor.events.on("workerReady", () => this.#router.workerReady());
    this.#supervisor.events.on("failed", (error) => this.events.emit("failed", error));
  }

  get url(): string {
    return this.#router.url;
  }

  protected override async onStart(): Promise<void> {
    await this.#bus.start();
    await this.#router.start();
    await this.#supervisor.start();
  }

  protected override async onDrain(deadlineMs: number): Promise<void> {
    await this.#router.drain(deadlineMs);
    await this.#supervisor.drain(deadlineMs);
  }

  protected override async onClose(): Promise<void> {
    await this.#router.close();
    await this.#supervisor.close();
    await this.#bus.close();
  }
}
