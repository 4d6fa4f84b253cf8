// The part of a box that CPU tasks need: the primary's bus, the real supervisor with a real cpu process, and clients as
// socket workers have them. The build must be there: the supervisor forks a built file.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CpuSupervisor } from "../../dist/src/primary/cpu-supervisor.js";
import { BusServer } from "../../src/bus/bus-server.ts";
import { connectBus } from "../../src/bus/connect.ts";
import type { BusConnection } from "../../src/bus/connection.ts";
import { Peers } from "../../src/bus/peers.ts";
import { CpuClient } from "../../src/cpu/client.ts";
import { createLogger, type Logger } from "../../src/lib/logger.ts";
import { resolveOptions } from "../../src/options/resolve.ts";

export const TASKS = new URL("../fixtures/tasks/", import.meta.url);

export interface CpuBoxOptions {
  /** Options of the group `cpu`. */
  readonly cpu?: Readonly<Record<string, number>>;
  readonly log?: Logger;
}

export class CpuBox {
  readonly folder: string;
  readonly peers = new Peers();
  readonly errors: Error[] = [];
  readonly supervisor: CpuSupervisor;
  readonly options;
  readonly #bus: BusServer;
  readonly #secret = randomBytes(8).toString("hex");
  readonly #clients: { client: CpuClient; bus: BusConnection }[] = [];

  constructor(folder: string, { cpu = {}, log = createLogger({ level: "silent" }) }: CpuBoxOptions) {
    this.folder = folder;
    const file = { cpu: { threads: 1, ...cpu }, supervisor: { minRestartDelayMs: 1, stableAfterMs: 1 } };
    this.options = resolveOptions({ file }).options;
    this.#bus = new BusServer({
      path: this.#busPath,
      secret: this.#secret,
      onPeer: (connection, hello) => this.peers.add(connection, hello),
    });
    this.supervisor = new CpuSupervisor({
      peers: this.peers,
      options: this.options,
      log,
      bus: { path: this.#busPath, secret: this.#secret },
      runtimeDir: folder,
      onError: (error) => this.errors.push(error),
    });
  }

  /** Listens for clients; `supervisor.start()` is a step of its own. */
  async listen(): Promise<void> {
    await this.#bus.start();
  }

  /** A socket worker's client; `null` for an app without tasks. */
  async client(tasks: URL | null = TASKS): Promise<CpuClient> {
    let client: CpuClient | undefined;
    const name = { slot: this.#clients.length, incarnation: 1 };
    const bus = await connectBus({
      path: this.#busPath,
      hello: { secret: this.#secret, role: "socket-worker", ...name },
      onMessage: (message) => client?.handle(message),
    });
    const log = createLogger({ level: "silent" });
    client = new CpuClient({ bus, ...name, options: this.options, log, tasks: tasks ?? undefined });
    this.#clients.push({ client, bus });
    return client;
  }

  /** Kills the cpu process and waits until its connection is gone. */
  async killCpu(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const left = once(this.peers, "leave");
    process.kill(this.supervisor.status().pid ?? 0, signal);
    await left;
  }

  async close(): Promise<void> {
    for (const { client, bus } of this.#clients) {
      client.close();
      bus.destroy();
    }
    await this.supervisor.close();
    await this.#bus.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  get #busPath(): string {
    return join(this.folder, "bus.sock");
  }
}

/** A box whose cpu process is ready. */
export async function startCpuBox(options: CpuBoxOptions = {}): Promise<CpuBox> {
  const box = new CpuBox(await mkdtemp(join(tmpdir(), "allcores-cpu-")), options);
  await box.listen();
  await box.supervisor.start();
  return box;
}
