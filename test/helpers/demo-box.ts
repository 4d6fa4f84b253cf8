// The demo's app on a few Socket.IO servers of one test process: a memory cluster instead of Node's IPC, the real
// presence over a bus without a socket, and the real tasks without a pool. Any worker can be killed and replaced.

import { EventEmitter, once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import { Server } from "socket.io";
import { type Socket as ClientSocket, io as connect } from "socket.io-client";
import type { BusConnection } from "../../src/bus/connection.ts";
import type { BusMessage } from "../../src/bus/messages.ts";
import { Peers } from "../../src/bus/peers.ts";
import app from "../../src/demo/app.ts";
import type { ChatBox } from "../../src/demo/chat-server.ts";
import type { Answer, ClientEvents, Joined, Sent, ServerEvents } from "../../src/demo/page/protocol.ts";
import { createLogger } from "../../src/lib/logger.ts";
import { resolveOptions } from "../../src/options/resolve.ts";
import { PresenceClient } from "../../src/presence/presence-client.ts";
import { PresenceServer } from "../../src/presence/presence-server.ts";
import fractalTile from "../../workers/fractal-tile.ts";
import renderMarkdown from "../../workers/render-markdown.ts";
import { createMemoryCluster } from "./memory-cluster-adapter.ts";

export type DemoClient = ClientSocket<ServerEvents, ClientEvents>;
export type RunTask = (task: string, payload: unknown, options?: { signal?: AbortSignal }) => Promise<unknown>;

interface Worker {
  readonly io: Server;
  readonly url: string;
  readonly disappear: () => void;
}

export const runTask: RunTask = async (task, payload) =>
  task === "render-markdown" ? renderMarkdown(payload) : fractalTile(payload);

export class DemoBox {
  readonly #options = resolveOptions({ flags: { workers: "2", "cpu-threads": "2", "presence-grace-ms": "0" } }).options;
  readonly #adapter = createMemoryCluster();
  readonly #peers = new Peers();
  readonly #presence = new PresenceServer({ peers: this.#peers, options: this.#options });
  readonly #workers: Worker[] = [];
  readonly #clients: DemoClient[] = [];
  /** Runs the tasks. Tests put something slower or busier here. */
  run: RunTask = runTask;

  async start(): Promise<void> {
    await this.#presence.start();
    for (let slot = 0; slot < this.#options.workers; slot++) await this.startWorker(slot, 1);
  }

  async startWorker(slot: number, incarnation: number): Promise<void> {
    const http = createServer();
    const io = new Server(http, { adapter: this.#adapter });
    const { presence, disappear } = this.#connectPresence(slot, incarnation);
    const box: ChatBox = {
      slot,
      incarnation,
      options: this.#options,
      log: createLogger({ level: "silent" }),
      presence,
      cpu: {
        run: <T>(task: string, payload: unknown, options?: object) => this.run(task, payload, options) as Promise<T>,
      },
    };
    // What an authenticated handshake leaves in `socket.data`.
    io.use((socket, next) => {
      const { sub } = socket.handshake.auth as { sub?: string };
      if (sub !== undefined) socket.data = { claims: { sub } };
      next();
    });
    await app.setup(io, box as Parameters<typeof app.setup>[1]);
    this.#workers[slot] = { io, url: await listen(http), disappear };
  }

  /** As SIGKILL would: connections break, the bus notices. */
  async killWorker(slot: number): Promise<void> {
    const worker = this.#workers[slot];
    worker?.disappear();
    await worker?.io.close();
  }

  async connect(slot: number, auth: object = {}): Promise<DemoClient> {
    const client: DemoClient = connect(this.#workers[slot]?.url ?? "", {
      auth,
      forceNew: true,
      reconnection: false,
      transports: ["websocket"],
    });
    this.#clients.push(client);
    client.on("message", (_message, confirm) => confirm(true));
    await new Promise<void>((resolve) => client.once("connect", resolve));
    return client;
  }

  /** A client that is in the room. */
  async join(slot: number, name: string, room = "lobby", key = `key-of-${name}-0123456789`): Promise<JoinedClient> {
    const client = await this.connect(slot);
    const joined = accepted(await client.emitWithAck("join", { room, name, key }));
    return { client, joined };
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    for (const { io } of this.#workers) await io.close();
    await this.#presence.close();
  }

  #connectPresence(slot: number, incarnation: number): { presence: PresenceClient; disappear: () => void } {
    const connection = Object.assign(new EventEmitter(), {
      send: (message: BusMessage) => later(() => presence.handle(structuredClone(message))),
    });
    const bus = { send: (message: BusMessage) => later(() => connection.emit("message", structuredClone(message))) };
    const presence = new PresenceClient({ bus, options: this.#options, log: createLogger({ level: "silent" }) });
    const hello = { type: "hello", build: "", secret: "", role: "socket-worker", slot, incarnation } as const;
    this.#peers.add(connection as unknown as BusConnection, hello);
    return { presence, disappear: () => connection.emit("close") };
  }
}

export interface JoinedClient {
  readonly client: DemoClient;
  readonly joined: Joined;
}

/** The answer, if it is no refusal. */
export function accepted<T extends object>(answer: Answer<T>): T {
  if ("error" in answer) throw new Error(`Refused: ${JSON.stringify(answer.error)}`);
  return answer;
}

let lastId = 0;

export function newId(): string {
  return `message-${++lastId}`;
}

export async function say(client: DemoClient, text: string, id = newId()): Promise<Sent> {
  return accepted(await client.emitWithAck("send", { id, text }));
}

function later(work: () => void): true {
  setImmediate(work);
  return true;
}

async function listen(http: HttpServer): Promise<string> {
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as { port: number };
  return `http://127.0.0.1:${port}`;
}
