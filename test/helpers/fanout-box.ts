// A box for the tests of the fan-out: the real Fanout behind a real bus, and workers that are real Socket.IO servers
// with the real adapter. All in the test's process; only the cluster between the workers is a stand-in.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server as HttpServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server } from "socket.io";
import { type Socket as ClientSocket, io as connect } from "socket.io-client";
import { BusServer } from "../../src/bus/bus-server.ts";
import { connectBus } from "../../src/bus/connect.ts";
import type { BusConnection } from "../../src/bus/connection.ts";
import type { BusMessage } from "../../src/bus/messages.ts";
import { Peers } from "../../src/bus/peers.ts";
import { Fanout } from "../../src/fanout/fanout.ts";
import { createLogger, type Logger } from "../../src/lib/logger.ts";
import { createFanoutAdapter } from "../../src/socket-worker/fanout-adapter.ts";
import { createMemoryCluster } from "./memory-cluster-adapter.ts";

export interface TestServer {
  readonly io: Server;
  readonly url: string;
  close(): Promise<void>;
}

export interface TestWorker extends TestServer {
  readonly bus: BusConnection;
}

export interface TestBox {
  readonly fanout: Fanout;
  readonly workers: readonly TestWorker[];
  close(): Promise<void>;
}

export interface TestBoxOptions {
  readonly redisUrl: string;
  /** @default 2 */
  readonly workers?: number;
  readonly prefix?: string;
  readonly maxQueueBytes?: number;
  readonly log?: Logger;
}

const silent = createLogger({ level: "silent" });

export async function startBox(options: TestBoxOptions): Promise<TestBox> {
  const { redisUrl, workers: count = 2, prefix = "socket.io", maxQueueBytes = 16_777_216, log = silent } = options;
  const folder = await mkdtemp(join(tmpdir(), "allcores-fanout-"));
  const path = join(folder, "bus.sock");
  const secret = randomBytes(16).toString("hex");
  const peers = new Peers();
  const busServer = new BusServer({ path, secret, onPeer: (connection, hello) => peers.add(connection, hello) });
  await busServer.start();
  const fanout = new Fanout({ peers, options: { redisUrl, redis: { prefix, maxQueueBytes } }, log });
  await fanout.start();

  const base = createMemoryCluster();
  const workers: TestWorker[] = [];
  for (let slot = 0; slot < count; slot++) workers.push(await startWorker(path, secret, slot, base, log));

  return {
    fanout,
    workers,
    close: async () => {
      for (const worker of workers) await worker.close();
      await fanout.close();
      await busServer.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function startWorker(
  path: string,
  secret: string,
  slot: number,
  base: ReturnType<typeof createMemoryCluster>,
  log: Logger,
): Promise<TestWorker> {
  let handle: (message: BusMessage, body: Buffer) => void = () => {};
  const bus = await connectBus({
    path,
    hello: { secret, role: "socket-worker", slot, incarnation: 1 },
    onMessage: (message, body) => handle(message, body),
  });
  const fanout = createFanoutAdapter({ base, bus, log });
  handle = fanout.handle;
  const server = await listen(new Server({ adapter: fanout.adapter, cleanupEmptyChildNamespaces: true }));
  return {
    ...server,
    bus,
    close: async () => {
      await server.close();
      bus.destroy();
    },
  };
}

export async function listen(io: Server): Promise<TestServer> {
  const http: HttpServer = createServer();
  io.attach(http);
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as { port: number };
  return {
    io,
    url: `http://127.0.0.1:${port}`,
    close: () => io.close(),
  };
}

/** Lets clients of the server join rooms: `TestClient.join`. */
export function joinOnRequest({ io }: TestServer): void {
  io.on("connection", (socket) => {
    socket.on("join", (room: string, done: () => void) => {
      void socket.join(room);
      done();
    });
  });
}

/** A connected client. Its events are remembered from the start: see `TestClient.events`. */
export async function connectClient({ url }: { readonly url: string }, nsp = "/"): Promise<TestClient> {
  const socket = connect(url + nsp, { transports: ["websocket"], forceNew: true, reconnection: false });
  const client = new TestClient(socket);
  await client.connected;
  return client;
}

export class TestClient {
  readonly socket: ClientSocket;
  readonly connected: Promise<void>;
  /** Every event so far, as `[name, ...args]`. */
  readonly events: unknown[][] = [];

  constructor(socket: ClientSocket) {
    this.socket = socket;
    this.connected = new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("connect_error", reject);
    });
    socket.onAny((...event: unknown[]) => this.events.push(event));
  }

  get id(): string {
    return String(this.socket.id);
  }

  /** Resolves to the arguments of the next (or an already received) event of that name. */
  async next(name: string): Promise<unknown[]> {
    const known = this.events.find(([event]) => event === name);
    if (known !== undefined) return known.slice(1);
    return new Promise((resolve) => this.socket.once(name, (...args) => resolve(args)));
  }

  /** Names of all events so far. */
  names(): unknown[] {
    return this.events.map(([name]) => name);
  }

  /** Joins a room, on a server with `joinOnRequest`. */
  async join(room: string): Promise<void> {
    await this.socket.emitWithAck("join", room);
  }

  close(): void {
    this.socket.disconnect();
  }
}
