// The part of a box that presence needs: the primary's bus with the presence server, and workers with their clients.

import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BusServer } from "../../src/bus/bus-server.ts";
import { connectBus } from "../../src/bus/connect.ts";
import type { BusConnection } from "../../src/bus/connection.ts";
import { Peers } from "../../src/bus/peers.ts";
import type { RoomDiff } from "../../src/bus/presence-messages.ts";
import { createLogger } from "../../src/lib/logger.ts";
import { resolveOptions } from "../../src/options/resolve.ts";
import { PresenceClient } from "../../src/presence/presence-client.ts";
import { PresenceServer } from "../../src/presence/presence-server.ts";

const SECRET = "s";

export interface PresenceWorker {
  readonly presence: PresenceClient;
  readonly bus: BusConnection;
  /** Ends it the way SIGKILL does: its connection closes, nothing else is said. */
  readonly kill: () => Promise<void>;
}

export class PresenceBox {
  readonly server: PresenceServer;
  readonly #folder: string;
  readonly #peers = new Peers();
  readonly #bus: BusServer;
  readonly #options;
  readonly #workers: PresenceWorker[] = [];

  constructor(folder: string, presence: Readonly<Record<string, number>>) {
    this.#folder = folder;
    this.#options = resolveOptions({ file: { presence } }).options;
    this.#bus = new BusServer({
      path: join(folder, "bus.sock"),
      secret: SECRET,
      onPeer: (connection, hello) => this.#peers.add(connection, hello),
    });
    this.server = new PresenceServer({ peers: this.#peers, options: this.#options });
  }

  async start(): Promise<void> {
    await this.#bus.start();
    await this.server.start();
  }

  async worker(): Promise<PresenceWorker> {
    let presence: PresenceClient | undefined;
    const bus = await connectBus({
      path: join(this.#folder, "bus.sock"),
      hello: { secret: SECRET, role: "socket-worker", slot: this.#workers.length, incarnation: 1 },
      onMessage: (message) => presence?.handle(message),
    });
    const kill = async (): Promise<void> => {
      const left = once(this.#peers, "leave");
      bus.destroy();
      await left;
    };
    presence = new PresenceClient({ bus, options: this.#options, log: createLogger({ level: "silent" }) });
    const worker = { presence, bus, kill };
    this.#workers.push(worker);
    return worker;
  }

  async close(): Promise<void> {
    for (const { bus } of this.#workers) bus.destroy();
    await this.server.close();
    await this.#bus.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** `presence` are options of that group. */
export async function startPresenceBox(presence: Readonly<Record<string, number>> = {}): Promise<PresenceBox> {
  const box = new PresenceBox(await mkdtemp(join(tmpdir(), "allcores-presence-")), presence);
  await box.start();
  return box;
}

/** The sockets of one namespace of one worker, as far as presence uses them. */
export class FakeNamespace {
  readonly name: string;
  readonly #sockets = new Map<string, FakeSocket>();

  constructor(name = "/") {
    this.name = name;
  }

  get local() {
    const to = (ids: string[]) => ({
      emit: (event: string, diff: RoomDiff): void => {
        for (const id of ids) this.#sockets.get(id)?.sent.push([event, diff]);
      },
    });
    return { to };
  }

  socket(): FakeSocket {
    const socket = new FakeSocket(randomUUID(), this);
    this.#sockets.set(socket.id, socket);
    return socket;
  }
}

export class FakeSocket extends EventEmitter<{ disconnect: [] }> {
  readonly id: string;
  readonly nsp: FakeNamespace;
  /** What its client gets, in order. */
  readonly sent: [event: string, diff: RoomDiff][] = [];
  connected = true;

  constructor(id: string, nsp: FakeNamespace) {
    super();
    this.id = id;
    this.nsp = nsp;
  }

  get diffs(): RoomDiff[] {
    return this.sent.map(([, diff]) => diff);
  }

  disconnect(): void {
    this.connected = false;
    this.emit("disconnect");
  }
}
