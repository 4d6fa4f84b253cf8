// The primary of a box: composes its parts, and starts and stops them in order. It has no business logic of its own.

import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import { AdminServer } from "../admin/admin-server.ts";
import { VERSION } from "../bus/build.ts";
import { BusServer } from "../bus/bus-server.ts";
import { Peers } from "../bus/peers.ts";
import { Rounds } from "../bus/rounds.ts";
import type { AllcoresError } from "../errors.ts";
import { Fanout } from "../fanout/fanout.ts";
import { HubServer } from "../hub/hub-server.ts";
import type { StateFile } from "../hub/state-file.ts";
import { settledWithin } from "../lib/deadline.ts";
import { Lifecycle } from "../lib/lifecycle.ts";
import { errorFields, type Logger } from "../lib/logger.ts";
import { TrustedProxies } from "../lib/trusted-proxies.ts";
import { hasAdmissionLimits } from "../limits/admission-limits.ts";
import type { BoxFigures } from "../metrics/box-figures.ts";
import { BoxMetrics } from "../metrics/box-metrics.ts";
import type { Options } from "../options/options.ts";
import { PresenceServer } from "../presence/presence-server.ts";
import { Admission } from "./admission/admission.ts";
import { serveTickets } from "./admission/serve-tickets.ts";
import { Affinity } from "./affinity.ts";
import { BoxReload, type ReloadReport, reloadRefused } from "./box-reload.ts";
import { CpuSupervisor } from "./cpu-supervisor.ts";
import { type RefusalReason, statusOf } from "./refuse.ts";
import { RelayServer } from "./relay-server.ts";
import type { ReloadProgress } from "./reload.ts";
import { Router } from "./router.ts";
import { acceptsConnections } from "./router-probe.ts";
import { processSocketPath } from "./runtime-dir.ts";
import type { BoxState, BoxStatus } from "./status.ts";
import { Supervisor } from "./supervisor.ts";

export interface PrimaryOptions {
  readonly options: Options;
  /** The app module. */
  readonly appUrl: URL;
  readonly log: Logger;
  /** Folder for the box's unix sockets, private to its user. */
  readonly runtimeDir: string;
  /** Where the hub's state is kept over a restart; without it, it is not. */
  readonly stateFile?: StateFile | undefined;
  /** An inherited listening socket (systemd's socket activation), instead of host and port. */
  readonly listenFd?: number | undefined;
}

interface PrimaryEvents {
  /** The box cannot go on: close it and exit with the error's code. */
  failed: [error: AllcoresError];
}

/** Of the time a drain may take, what is kept for the tasks after the socket workers are gone. */
const CPU_DRAIN_MS = 1000;
const FANOUT_DRAIN_MS = 1000;
/** For what workers said last, once they are gone. */
const LAST_WORDS_MS = 1000;
/** What the hub has for saving its state when the workers took all the time there was. */
const MIN_SAVE_MS = 3000;

export class Primary extends Lifecycle {
  readonly events = new EventEmitter<PrimaryEvents>();
  readonly #options: Options;
  readonly #startedAt = new Date();
  readonly #peers = new Peers();
  readonly #metrics: BoxMetrics;
  readonly #admin: AdminServer;
  readonly #bus: BusServer;
  readonly #hub: HubServer | undefined;
  readonly #presence: PresenceServer;
  readonly #fanout: Fanout | undefined;
  readonly #cpu: CpuSupervisor;
  readonly #supervisor: Supervisor;
  readonly #affinity: Affinity;
  readonly #admission: Admission | undefined;
  readonly #router: Router;
  readonly #relay: RelayServer;
  readonly #reload: BoxReload;

  constructor({ options, appUrl, log, runtimeDir, stateFile, listenFd }: PrimaryOptions) {
    super();
    this.#options = options;
    const peers = this.#peers;
    const bus = { path: processSocketPath(runtimeDir, "bus"), secret: randomBytes(32).toString("base64url") };

    this.#metrics = new BoxMetrics({ peers, figures: () => this.#figures() });
    const { counters } = this.#metrics;
    this.#admin = new AdminServer({
      options,
      log,
      status: () => this.status(),
      metricsText: () => this.#metrics.text(),
    });
    this.#bus = new BusServer({
      ...bus,
      maxQueuedBytes: options.supervisor.stallMaxBytes,
      timing: new Rounds({
        intervalMs: options.hub.flushIntervalMs,
        messages: () => this.#hub?.sequence ?? 0,
        maySleep: () => !this.#supervisor.isHandingOver && !this.#bus.isBackedUp,
      }),
      onPeer: (connection, hello) => peers.add(connection, hello),
    });
    this.#hub = options.bus === "box" ? new HubServer({ peers, options, log, stateFile }) : undefined;
    const hub = this.#hub;
    this.#presence = new PresenceServer({ peers, options, hub });
    this.#fanout = options.redisUrl === "" ? undefined : new Fanout({ peers, options, log, order: hub });
    this.#cpu = new CpuSupervisor({
      peers,
      options,
      log,
      bus,
      runtimeDir,
      onError: (error, context) => {
        counters.onError(error, context);
        log.error({ ...errorFields(error), ...context }, "a part of the box has a problem");
      },
    });
    const relayPath = processSocketPath(runtimeDir, "relay");
    const init = { busPath: bus.path, busSecret: bus.secret, relayPath, appUrl: appUrl.href, options };
    this.#supervisor = new Supervisor({
      peers,
      log,
      init,
      onReroute: (worker, { data, peer, ticket }, connection) => {
        if (ticket !== undefined) this.#admission?.closed(worker, [ticket]);
        if (connection !== undefined) this.#router.acceptAgain(connection, data, peer);
      },
      onRestart: (slot, why) => counters.workerRestart(slot, why),
    });
    this.#affinity = new Affinity({
      appUrl: appUrl.href,
      queryName: options.affinityQuery,
      log,
      onError: (error) => counters.onError(error, { stage: "affinity" }),
    });
    this.#reload = new BoxReload({
      supervisor: this.#supervisor,
      affinity: this.#affinity,
      cpu: this.#cpu,
      workers: options.workers,
    });
    this.#admission = hasAdmissionLimits(options.limits)
      ? new Admission(options.limits, () => performance.now())
      : undefined;
    this.#router = new Router({
      options,
      listenFd,
      affinity: this.#affinity,
      reception: {
        maxHeadBytes: options.router.maxHeadBytes,
        trusted: new TrustedProxies(options.trustProxy),
        proxyProtocol: options.proxyProtocol,
        admission: this.#admission,
      },
      targets: () => this.#supervisor.routeTargets(),
      events: {
        onAccepted: () => counters.routerAccepted(),
        onAssigned: ({ slot }) => counters.routerAssigned(slot),
        onRefused: (reason) => this.#countRefused(reason),
        onBadProxyHeader: () => counters.admissionRefused("proxy_header"),
      },
    });
    this.#relay = new RelayServer({
      path: relayPath,
      onConnection: (connection) => this.#router.acceptRelay(connection, bus.secret),
    });
    if (this.#admission !== undefined) {
      serveTickets({
        peers,
        admission: this.#admission,
        onRefused: (reason) => counters.admissionRefused(reason),
      });
      this.#supervisor.events.on("workerExit", (worker) => this.#admission?.gone(worker));
    }
    this.#supervisor.events.on("workerReady", () => this.#hub?.beginServing());
    this.#supervisor.events.on("workerReady", ({ hasAffinity }) => void this.#letIn(hasAffinity));
    this.#supervisor.events.on("failed", (error) => this.events.emit("failed", error));
  }

  get url(): string {
    return this.#router.url;
  }

  /** Whether the router takes connections from the port, tried out with one. */
  acceptsConnections(): Promise<boolean> {
    const { counters } = this.#metrics;
    return acceptsConnections({ url: this.#router.url, accepted: () => counters.accepted });
  }

  /** What the box says about itself now. */
  status(): BoxStatus {
    return {
      pid: process.pid,
      version: VERSION,
      state: this.#boxState(),
      url: this.url,
      adminUrl: this.#admin.url,
      startedAt: this.#startedAt.toISOString(),
      bus: this.#options.bus,
      workers: this.#supervisor.status(),
      cpu: this.#cpu.status(),
      redis: this.#fanout?.status() ?? null,
      presence: this.#presence.status(),
      traffic: this.#metrics.traffic(),
    };
  }

  /**
   * Replaces every process but the primary by one that runs the code now on disk, without loss.
   * Rejects with `ALLCORES_ERR_RELOAD_REFUSED` when nothing was tried, with `ALLCORES_ERR_RELOAD_FAILED` when the new
   * code does not work: the processes that were not replaced by then serve on with the old one.
   */
  async reload(onProgress: (progress: ReloadProgress) => void): Promise<ReloadReport> {
    if (this.state !== "running") throw reloadRefused(`The box is ${this.#boxState()}.`);
    return this.#reload.run(onProgress);
  }

  /** The port comes first: a client that connects during boot waits for a worker instead of being refused. */
  protected override async onStart(): Promise<void> {
    await this.#bus.start();
    await this.#hub?.start();
    await this.#presence.start();
    await this.#fanout?.start();
    await this.#admin.start();
    await this.#router.start();
    await this.#relay.start();
    this.#startCpuWhenWanted();
    await this.#supervisor.start();
  }

  protected override async onDrain(deadlineMs: number): Promise<void> {
    const endsAt = performance.now() + deadlineMs;
    const cpuMs = Math.min(CPU_DRAIN_MS, deadlineMs / 10);
    await this.#router.drain(deadlineMs);
    await this.#supervisor.drain(deadlineMs - cpuMs);
    await settledWithin(this.#peers.socketWorkersGone(), LAST_WORDS_MS);
    // From here on nobody says anything to the hub. What workers said last is still to reach the other boxes.
    await Promise.all([
      this.#hub?.drain(Math.max(MIN_SAVE_MS, endsAt - performance.now())),
      this.#fanout?.drain(FANOUT_DRAIN_MS),
      this.#cpu.drain(cpuMs),
    ]);
  }

  protected override async onClose(): Promise<void> {
    await this.#router.close();
    await this.#relay.close();
    await this.#supervisor.close();
    await this.#cpu.close();
    await this.#admin.close();
    await this.#fanout?.close();
    await this.#presence.close();
    await this.#hub?.close();
    await this.#bus.close();
    this.#metrics.close();
  }

  /** Clients that come before the app's `affinity` is known would be scattered: they wait for it. */
  async #letIn(hasAffinity: boolean): Promise<void> {
    // That of new code counts when the code has passed.
    if (hasAffinity && !this.#reload.isRunning) await this.#affinity.load();
    this.#router.workerReady();
  }

  /** An app without tasks gets no cpu process. One that runs a task in its `setup` has it by then. */
  #startCpuWhenWanted(): void {
    this.#peers.on("message", (_peer, message) => {
      if (message.type !== "cpuWanted" || this.#cpu.state !== "idle") return;
      this.#cpu.start().catch((error: AllcoresError) => this.events.emit("failed", error));
    });
  }

  #figures(): BoxFigures {
    const { queued, running, threads } = this.#cpu.status();
    return {
      state: this.#boxState(),
      startedAtMs: this.#startedAt.getTime(),
      workers: this.#supervisor.status(),
      routerWaiting: this.#router.pending,
      admission: { counted: this.#admission?.counted ?? 0, addresses: this.#admission?.addresses ?? 0 },
      pool: { queued, running, threads, restarts: this.#cpu.restarts, totals: this.#cpu.totals() },
      presence: this.#presence.status(),
      hub: this.#hub?.stats() ?? null,
      redis: this.#fanout === undefined ? null : { ...this.#fanout.counters(), state: this.#fanout.status().state },
    };
  }

  #countRefused(reason: RefusalReason): void {
    const { counters } = this.#metrics;
    counters.routerRefused(statusOf(reason));
    if (typeof reason === "string") counters.admissionRefused(reason);
  }

  #boxState(): BoxState {
    if (this.state === "running") return "running";
    return this.state === "draining" || this.state === "closed" ? "draining" : "starting";
  }
}
