// Several boxes on one Redis, and what may happen between them.

import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { connectClient, startBox, type TestBox, type TestClient, type TestServer } from "../helpers/fanout-box.ts";
import { collectLog } from "../helpers/log-lines.ts";
import { startPlainServer } from "../helpers/plain-server.ts";
import { type RedisServer, startRedis } from "../helpers/redis-server.ts";
import { describeWith } from "../helpers/requirements.ts";
import { startProxy } from "../helpers/tcp-proxy.ts";
import { until } from "../helpers/until.ts";

describeWith("redis-server", "Boxes on one Redis", () => {
  let redis: RedisServer;
  let raw: Redis;
  const cleanups: (() => unknown)[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    raw = new Redis(redis.url);
  });

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    await redis.untilSubscribed("socket.io-request#/#", 0);
  });

  afterAll(async () => {
    raw.disconnect();
    await redis.kill();
  });

  async function box(options: Partial<Parameters<typeof startBox>[0]> = {}): Promise<TestBox> {
    const started = await startBox({ redisUrl: redis.url, ...options });
    cleanups.push(() => started.close());
    return started;
  }

  async function plainServer(options: object = {}): Promise<TestServer> {
    const started = await startPlainServer(redis.url, options);
    cleanups.push(() => started.close());
    return started;
  }

  async function connectTo(server: TestServer, nsp = "/"): Promise<TestClient> {
    const client = await connectClient(server, nsp);
    cleanups.push(() => client.close());
    return client;
  }

  const workerOf = ({ workers }: TestBox, slot = 0): TestServer => workers[slot] as TestServer;
  const untilServers = (count: number, nsp = "/") => redis.untilSubscribed(`socket.io-request#${nsp}#`, count);

  test("an event reaches every client of every box once", async () => {
    const boxes = [await box(), await box(), await box({ workers: 1 })];
    await untilServers(3);
    const servers = boxes.flatMap(({ workers }) => workers);
    const clients = await Promise.all(servers.map((server) => connectTo(server)));

    for (const [index, { io }] of servers.entries()) io.emit("from", index);
    await until("all have heard all", () => clients.every(({ events }) => events.length >= servers.length));

    for (const { events } of clients) {
      expect(events.map(([, index]) => index).sort()).toEqual([0, 1, 2, 3, 4]);
    }
  });

  test("serverSideEmit with a callback collects the answers of all workers of all boxes", async () => {
    const [one, other] = [await box(), await box({ workers: 3 })];
    await untilServers(2);
    for (const [n, { io }] of [...one.workers, ...other.workers].entries()) {
      io.on("who", (ack: (n: number) => void) => ack(n));
    }

    const answers = await workerOf(one).io.serverSideEmitWithAck("who");

    expect(answers.sort()).toEqual([1, 2, 3, 4]);
  });

  test("a worker without a listener does not hold up the answer of its box", async () => {
    const [one, other] = [await box({ workers: 1 }), await box()];
    await untilServers(2);
    workerOf(other, 1).io.on("who", (ack: (name: string) => void) => ack("the one that listens"));

    const answers = await workerOf(one).io.serverSideEmitWithAck("who");

    expect(answers).toEqual(["the one that listens"]);
  });

  test("a worker that dies while it is asked is not waited for", async () => {
    const [one, other] = [await box({ workers: 1 }), await box()];
    await untilServers(2);
    workerOf(other, 0).io.on("who", (ack: (name: string) => void) => ack("survivor"));
    workerOf(other, 1).io.on("who", () => other.workers[1]?.bus.destroy());

    const answers = await workerOf(one).io.serverSideEmitWithAck("who");

    expect(answers).toEqual(["survivor"]);
  });

  test("fetchSockets fails when another server does not answer in time", async () => {
    const one = await box({ workers: 1 });
    await untilServers(1);
    const silent = raw.duplicate();
    await silent.subscribe("socket.io-request#/#");
    cleanups.push(() => silent.disconnect());

    const asked = workerOf(one).io.timeout(200).fetchSockets();

    await expect(asked).rejects.toMatchObject({
      code: "ALLCORES_ERR_DEADLINE",
      message: "1 other server(s) did not answer within 200 ms.",
    });
  });

  test("boxes with different prefixes do not hear each other", async () => {
    const [one, other] = [await box({ prefix: "app1" }), await box({ prefix: "app2" })];
    await redis.untilSubscribed("app1-request#/#", 1);
    await redis.untilSubscribed("app2-request#/#", 1);
    const [near, far] = [await connectTo(workerOf(one)), await connectTo(workerOf(other))];

    workerOf(one).io.emit("private");
    workerOf(other).io.emit("end");
    await Promise.all([near.next("private"), far.next("end")]);

    expect(far.names()).toEqual(["end"]);
  });

  test("a namespace is subscribed while a worker has it, and no longer", async () => {
    const one = await box();
    for (const { io } of one.workers) io.of(/^\/room-\w+$/);

    const clients = await Promise.all(one.workers.map((server) => connectTo(server, "/room-x")));
    await untilServers(1, "/room-x");
    clients[0]?.close();
    const stillThere = await redis.countSubscribers("socket.io-request#/room-x#");
    clients[1]?.close();

    expect(stillThere).toBe(1);
    await untilServers(0, "/room-x");
  });

  // The namespace was asked about before it was subscribed: the box counted one server too few and left one out.
  test("the first client of a dynamic namespace can be told who is there already", async () => {
    const proxy = await startProxy(redis.port);
    cleanups.push(() => proxy.close());
    const one = await box({ workers: 1, redisUrl: `redis://127.0.0.1:${proxy.port}` });
    const plain = await plainServer();
    plain.io.of("/room-1");
    await untilServers(2);
    const worker = workerOf(one);
    const found: Promise<string[]> = new Promise((resolve, reject) => {
      worker.io.of(/^\/room-\d$/).on("connection", ({ nsp }) => {
        nsp.fetchSockets().then((sockets) => resolve(sockets.map(({ id }) => id)), reject);
      });
    });
    const first = await connectTo(plain, "/room-1");

    proxy.hold("allcores-subscriber");
    const second = await connectTo(worker, "/room-1");
    await proxy.untilHeld("room-1");
    await worker.io.fetchSockets();
    proxy.release();

    expect((await found).sort()).toEqual([first.id, second.id].sort());
  });

  test("a server that wants answers on a channel of its own gets them", async () => {
    const [one, plain] = [await box(), await plainServer({ publishOnSpecificResponseChannel: true })];
    await untilServers(2);
    const clients = [await connectTo(workerOf(one, 0)), await connectTo(workerOf(one, 1)), await connectTo(plain)];
    const ids = clients.map(({ id }) => id).sort();

    const seenByPlain = await plain.io.fetchSockets();
    const seenByBox = await workerOf(one).io.fetchSockets();

    expect(seenByPlain.map(({ id }) => id).sort()).toEqual(ids);
    expect(seenByBox.map(({ id }) => id).sort()).toEqual(ids);
  });

  test("a room named by number, as untyped apps do, is found", async () => {
    const [one, plain] = [await box(), await plainServer()];
    await untilServers(2);
    const client = await connectTo(workerOf(one));
    const seven = 7 as unknown as string;
    workerOf(one).io.local.socketsJoin(seven);

    plain.io.to(seven).emit("seven");
    plain.io.emit("end");
    await client.next("end");

    expect(client.names()).toEqual(["seven", "end"]);
  });

  test("nonsense on the channels is ignored", async () => {
    const one = await box();
    await untilServers(1);
    const client = await connectTo(workerOf(one));
    const nonsense = [
      "",
      "{",
      "{}",
      "null",
      "[]",
      "\u0093",
      '{"type":4}',
      '{"type":4,"opts":{"rooms":"x"}}',
      '{"type":99}',
    ];
    const odd = ['{"type":6,"data":7}', '{"requestId":1}', '{"type":7,"packet":{},"opts":{}}', Buffer.alloc(70, 0x91)];

    for (const body of [...nonsense, ...odd]) {
      for (const channel of ["", "-request", "-response"]) await raw.publish(`socket.io${channel}#/#`, body);
    }
    await raw.publish("socket.io-request#/#", '{"type":6,"data":["unheard"]}');
    workerOf(one).io.emit("end");
    await client.next("end");

    expect(client.names()).toEqual(["end"]);
  });

  test("what cannot be encoded for others stays in the box, is logged and counted", async () => {
    const { log, lines } = collectLog();
    const one = await box({ log });
    await untilServers(1);
    const cycle: unknown[] = [];
    cycle.push(cycle);

    workerOf(one).io.serverSideEmit("cycle", cycle);
    workerOf(one).io.serverSideEmit("fine");
    await until("the loss is counted", () => one.fanout.counters().dropped === 1);

    expect(lines.filter(({ level }) => level === 40)).toHaveLength(1);
  });

  test("what an app's listener throws is logged and hurts nobody", async () => {
    const { log, lines } = collectLog();
    const [one, other] = [await box({ workers: 1 }), await box({ workers: 1, log })];
    await untilServers(2);
    const client = await connectTo(workerOf(other));
    workerOf(other).io.on("boom", () => {
      throw new Error("the app's fault");
    });

    workerOf(one).io.serverSideEmit("boom");
    workerOf(one).io.emit("still here");
    await client.next("still here");

    expect(JSON.stringify(lines)).toContain("the app's fault");
  });
});
