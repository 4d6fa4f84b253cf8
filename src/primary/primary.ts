// The primary of a box: composes router, supervisor and bus, and starts and stops them in order.
// It has no business logic of its own.

import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import { join } from "node:path";
import { VERSION } from "../bus/build.ts";
import { BusServer } from "../bus/bus-server.ts";
import { Peers } from "../bus/peers.ts";
import type { AllcoresError } from "../errors.ts";
import { Fanout } from "../fanout/fanout.ts";
import { Lifecycle } from "../lib/lifecycle.ts";
import type { Logger } from "../lib/logger.ts";
import type { Options } from "../options/options.ts";
import { Router } from "./router.ts";
import type { BoxState, BoxStatus } from "./status.ts";
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

const FANOUT_DRAIN_MS = 1000;

export class Primary extends Lifecycle {
  readonly events = new EventEmitter<PrimaryEvents>();
  readonly #options: Options;
  readonly #startedAt = new Date();
  readonly #peers = new Peers();
  readonly #bus: BusServer;
  readonly #supervisor: Supervisor;
  readonly #router: Router;
  /** The way to other boxes, when there is a Redis. */
  readonly #fanout: Fanout | undefined;

  constructor({ options, appUrl, log, runtimeDir, listenFd }: PrimaryOptions) {
    super();
    this.#options = options;
    const busPath = join(runtimeDir, `bus-${process.pid}.sock`);
    const busSecret = randomBytes(32).toString("base64url");
    this.#bus = new BusServer({
      path: busPath,
      secret: busSecret,
      onPeer: (connection, hello) => this.#peers.add(connection, hello),
    });
    this.#fanout = options.redisUrl === "" ? undefined : new Fanout({ peers: this.#peers, options, log });
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

  /** What the box says about itself now. */
  status(): BoxStatus {
    const { adminHost, adminPort, bus, cpu } = this.#options;
    return {
      pid: process.pid,
      version: VERSION,
      state: this.#boxState(),
      url: this.url,
      adminUrl: `http://${adminHost}:${adminPort}`,
      startedAt: this.#startedAt.toISOString(),
      bus,
      workers: this.#supervisor.status(),
      cpu: { pid: null, state: "gone", queued: 0, running: 0, threads: cpu.threads },
      redis: this.#fanout?.status() ?? null,
      presence: { members: 0, rooms: 0 },
      traffic: { messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0, connects: 0, disconnects: 0, errors: 0 },
    };
  }

  protected override async onStart(): Promise<void> {
    await this.#bus.start();
    await this.#fanout?.start();
    await this.#router.start();
    await this.#supervisor.start();
  }

  protected override async onDrain(deadlineMs: number): Promise<void> {
    await this.#router.drain(deadlineMs);
    await this.#supervisor.drain(deadlineMs);
    // What workers said on their way out is still to reach the other boxes.
    await this.#fanout?.drain(FANOUT_DRAIN_MS);
  }

  protected override async onClose(): Promise<void> {
    await this.#router.close();
    await this.#supervisor.close();
    await this.#fanout?.close();
    await this.#bus.close();
  }

  #boxState(): BoxState {
    if (this.state === "running") return "running";
    return this.state === "draining" || this.state === "closed" ? "draining" : "starting";
  }
}
