// Redis absent, killed, hung, or not letting us in: the box serves its own clients, says so once, and comes back.

import { afterEach, beforeEach, expect, test } from "vitest";
import { connectClient, startBox, type TestBox, type TestClient, type TestServer } from "../helpers/fanout-box.ts";
import { heldBytes } from "../helpers/held-bytes.ts";
import { collectLog, type LogLine } from "../helpers/log-lines.ts";
import { startPlainServer } from "../helpers/plain-server.ts";
import { type RedisServer, startRedis } from "../helpers/redis-server.ts";
import { describeWith } from "../helpers/requirements.ts";
import { until } from "../helpers/until.ts";

const WARN = 40;
const INFO = 30;

describeWith("redis-server", "A box whose Redis fails", () => {
  let redis: RedisServer;
  let box: TestBox;
  let lines: LogLine[];
  const cleanups: (() => unknown)[] = [];

  beforeEach(async () => {
    redis = await startRedis();
    cleanups.push(() => redis.kill());
  });

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function start(options: { maxQueueBytes?: number; redisUrl?: string } = {}): Promise<void> {
    const collected = collectLog();
    lines = collected.lines;
    box = await startBox({ redisUrl: redis.url, log: collected.log, ...options });
    cleanups.push(() => box.close());
  }

  async function connectTo(server: TestServer): Promise<TestClient> {
    const client = await connectClient(server);
    cleanups.push(() => client.close());
    return client;
  }

  const worker = (slot: number): TestServer => box.workers[slot] as TestServer;
  const untilState = (state: string) => until(`Redis is ${state}`, () => box.fanout.status().state === state);
  const levels = (): number[] => lines.map(({ level }) => level);

  test("absent at the start: workers reach each other, and other servers once it is there", async () => {
    await redis.kill();
    await start();
    const [near, far] = [await connectTo(worker(0)), await connectTo(worker(1))];
    await untilState("down");

    worker(0).io.emit("alone");
    await Promise.all([near.next("alone"), far.next("alone")]);
    await redis.restart();
    await untilState("connected");
    const plain = await startPlainServer(redis.url);
    cleanups.push(() => plain.close());
    await redis.untilSubscribed("socket.io-request#/#", 2);
    plain.io.emit("together");
    await Promise.all([near.next("together"), far.next("together")]);

    expect(levels()).toEqual([WARN, INFO]);
    expect(box.fanout.counters()).toMatchObject({ published: 0, received: 1, dropped: 1, reconnects: 0 });
  });

  test("killed and started again: says so once each time, drops what it cannot send, and goes on", async () => {
    await start();
    await untilState("connected");
    const [near, far] = [await connectTo(worker(0)), await connectTo(worker(1))];

    await redis.kill();
    await untilState("down");
    for (let n = 0; n < 100; n++) worker(0).io.emit("while away", n);
    worker(0).io.emit("end");
    await Promise.all([near.next("end"), far.next("end")]);
    const { detail } = box.fanout.status();
    await redis.restart();
    await untilState("connected");

    expect(near.events).toHaveLength(101);
    expect(far.events).toHaveLength(101);
    expect(detail).toContain("Cut off from other servers since");
    expect(levels()).toEqual([INFO, WARN, INFO]);
    expect(box.fanout.counters()).toMatchObject({ published: 0, dropped: 101, queuedBytes: 0, reconnects: 1 });
  });

  test("questions to all servers are answered by the box alone while Redis is away", async () => {
    await redis.kill();
    await start();
    const all = [await connectTo(worker(0)), await connectTo(worker(1))];
    for (const { socket, id } of all) socket.on("who", (ack) => ack(id));
    worker(1).io.once("who", (ack: (name: string) => void) => ack("sibling"));
    await untilState("down");

    const found = await worker(0).io.fetchSockets();
    const acks = await worker(0).io.timeout(5000).emitWithAck("who");
    const answers = await worker(0).io.serverSideEmitWithAck("who");

    const ids = all.map(({ id }) => id).sort();
    expect(found.map(({ id }) => id).sort()).toEqual(ids);
    expect(acks.sort()).toEqual(ids);
    expect(answers).toEqual(["sibling"]);
  });

  test("hung: what waits for it is bounded, the rest is dropped and counted, and it counts as down", async () => {
    const maxQueueBytes = 1_048_576;
    await start({ maxQueueBytes });
    await untilState("connected");
    await redis.untilSubscribed("socket.io-request#/#", 1);
    const client = await connectTo(worker(1));
    const before = heldBytes();
    redis.freeze();
    cleanups.push(() => redis.thaw());

    let mostQueued = 0;
    for (let n = 0; n < 300; n++) {
      worker(0).io.to("nobody").emit("big", Buffer.alloc(1_000_000));
      for (let i = 0; i < 10; i++) worker(0).io.to("nobody").emit("small");
      await new Promise((resolve) => setImmediate(resolve));
      mostQueued = Math.max(mostQueued, box.fanout.counters().queuedBytes);
    }
    worker(0).io.emit("end");
    await client.next("end");
    await untilState("down");
    // 300 MB were sent.
    await until("what was dropped is not held", () => heldBytes() - before < 20_000_000);
    const found = await worker(0).io.fetchSockets();
    redis.thaw();
    await untilState("connected");

    expect(mostQueued).toBeGreaterThan(0);
    expect(mostQueued).toBeLessThanOrEqual(maxQueueBytes);
    expect(found.map(({ id }) => id)).toEqual([client.id]);
    // The 3,301 events and the question of fetchSockets.
    const { published, dropped, queuedBytes } = box.fanout.counters();
    expect([published + dropped, queuedBytes]).toEqual([3302, 0]);
    expect(levels()).toEqual([INFO, WARN, INFO]);
  });

  test("hung while nothing is sent: noticed all the same", async () => {
    await start();
    await untilState("connected");
    redis.freeze();
    cleanups.push(() => redis.thaw());

    await untilState("down");

    expect(box.fanout.status().detail).toContain("it does not answer");
  });

  test("a wrong password keeps the box cut off, and is in no log line and no status", async () => {
    await redis.kill();
    redis = await startRedis(["--requirepass", "right"]);
    cleanups.push(() => redis.kill());
    await start({ redisUrl: redis.url.replace("//", "//:wr0ng-s3cret@") });

    await untilState("down");

    const { detail } = box.fanout.status();
    expect(detail).toContain("WRONGPASS");
    expect(JSON.stringify([detail, lines])).not.toContain("wr0ng-s3cret");
  });

  test("the right password in the URL lets the box in", async () => {
    await redis.kill();
    redis = await startRedis(["--requirepass", "right p@ss"]);
    cleanups.push(() => redis.kill());
    await start({ redisUrl: redis.url.replace("//", `//:${encodeURIComponent("right p@ss")}@`) });

    await untilState("connected");

    expect(box.fanout.status().detail).toContain(`127.0.0.1:${redis.port}`);
  });

  test("a user that may not subscribe: says what is missing, and is connected once it may", async () => {
    await redis.acl("bob", "on", ">secret", "allcommands", "resetchannels", "&none");
    await start({ redisUrl: redis.url.replace("//", "//bob:secret@") });

    await until("the refusal is told", () => box.fanout.status().detail.includes("NOPERM"));
    await redis.acl("bob", "allchannels");
    await untilState("connected");

    expect(levels()).toContain(WARN);
  });
});
