// Two real boxes of two workers, a plain Socket.IO server with the official Redis adapter, and the official emitter.

import { startBox, type TestBox } from "./box.ts";
import { connectClient, type TestClient, type TestServer } from "./fanout-box.ts";
import { createEmitter, startPlainServer } from "./plain-server.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";

/** The channel that every server with the main namespace is subscribed to. */
export const REQUESTS = "socket.io-request#/#";

export class BoxesOnRedis {
  readonly redis: RedisServer;
  readonly plain: TestServer;
  readonly boxes: readonly TestBox[];
  readonly #emitter: ReturnType<typeof createEmitter>;
  readonly #clients: TestClient[] = [];

  private constructor(redis: RedisServer, plain: TestServer, boxes: readonly TestBox[]) {
    this.redis = redis;
    this.plain = plain;
    this.boxes = boxes;
    this.#emitter = createEmitter(redis.url);
  }

  static async start(bus: "ipc" | "box"): Promise<BoxesOnRedis> {
    const redis = await startRedis();
    const plain = await startPlainServer(redis.url);
    plain.io.of("/chat");
    plain.io.on("who", (answer: (name: string) => void) => answer("plain"));
    const boxes = await Promise.all([startBoxOn(redis, bus), startBoxOn(redis, bus)]);
    await redis.untilSubscribed(REQUESTS, 3);
    return new BoxesOnRedis(redis, plain, boxes);
  }

  get emitter(): ReturnType<typeof createEmitter>["emitter"] {
    return this.#emitter.emitter;
  }

  async connectTo(url: string, nsp?: string): Promise<TestClient> {
    const client = await connectClient({ url }, nsp);
    this.#clients.push(client);
    return client;
  }

  /** Two clients of each box, on a worker each since the one with fewer gets the next; the plain server's client last. */
  async connectToAll(nsp?: string): Promise<TestClient[]> {
    const all: TestClient[] = [];
    const urls = [...this.boxes.flatMap(({ url }) => [url, url]), this.plain.url];
    for (const url of urls) all.push(await this.connectTo(url, nsp));
    return all;
  }

  closeClients(): void {
    for (const client of this.#clients.splice(0)) client.close();
  }

  async close(): Promise<void> {
    this.#emitter.close();
    await Promise.all(this.boxes.map((box) => box.stop()));
    await this.plain.close();
    await this.redis.kill();
  }
}

export function startBoxOn(redis: RedisServer, bus: "ipc" | "box" = "ipc"): Promise<TestBox> {
  const env = { REDIS_URL: redis.url, LOG_LEVEL: "info", ALLCORES_BUS: bus };
  return startBox({ app: "fanout-app.mjs", workers: 2, env });
}

/** What each client heard up to the event `end`, without the greeting. */
export async function heardUntilEnd(all: readonly TestClient[]): Promise<unknown[][][]> {
  await Promise.all(all.map((client) => client.next("end")));
  return all.map(({ events }) => events.filter(([name]) => name !== "welcome" && name !== "end"));
}
