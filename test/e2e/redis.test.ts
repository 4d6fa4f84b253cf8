// Two real boxes, a plain Socket.IO server with the official Redis adapter, and the official emitter, on one Redis.

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startBox, type TestBox } from "../helpers/box.ts";
import { connectClient, type TestClient, type TestServer } from "../helpers/fanout-box.ts";
import { createEmitter, startPlainServer } from "../helpers/plain-server.ts";
import { freePort, type RedisServer, startRedis } from "../helpers/redis-server.ts";
import { describeWith } from "../helpers/requirements.ts";
import { until } from "../helpers/until.ts";

const REQUESTS = "socket.io-request#/#";

describeWith("redis-server", "Two boxes of two workers, a plain server and an emitter", () => {
  let redis: RedisServer;
  let boxes: [TestBox, TestBox];
  let plain: TestServer;
  let emitter: ReturnType<typeof createEmitter>;
  const clients: TestClient[] = [];

  const start = (): Promise<TestBox> =>
    startBox({ app: "fanout-app.mjs", workers: 2, env: { REDIS_URL: redis.url, LOG_LEVEL: "info" } });

  beforeAll(async () => {
    redis = await startRedis();
    plain = await startPlainServer(redis.url);
    plain.io.of("/chat");
    plain.io.on("who", (answer: (name: string) => void) => answer("plain"));
    boxes = await Promise.all([start(), start()]);
    emitter = createEmitter(redis.url);
    await redis.untilSubscribed(REQUESTS, 3);
  });

  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

  afterAll(async () => {
    emitter.close();
    await Promise.all(boxes.map((box) => box.stop()));
    await plain.close();
    await redis.kill();
  });

  async function connectTo(url: string, nsp?: string): Promise<TestClient> {
    const client = await connectClient({ url }, nsp);
    clients.push(client);
    return client;
  }

  /** Two clients of each box, on a worker each since the one with fewer gets the next; the plain server's client last. */
  async function connectToAll(nsp?: string): Promise<TestClient[]> {
    const all: TestClient[] = [];
    for (const url of [...boxes.flatMap(({ url }) => [url, url]), plain.url]) all.push(await connectTo(url, nsp));
    return all;
  }

  /** What each client heard up to the event `end`, without the greeting. */
  async function heard(all: readonly TestClient[]): Promise<unknown[][][]> {
    await Promise.all(all.map((client) => client.next("end")));
    return all.map(({ events }) => events.filter(([name]) => name !== "welcome" && name !== "end"));
  }

  test("a box holds two connections to Redis, and only its primary does", async () => {
    const names = (await redis.clientNames()).filter((name) => name.startsWith("allcores"));

    expect(names.sort()).toEqual([
      "allcores-publisher",
      "allcores-publisher",
      "allcores-subscriber",
      "allcores-subscriber",
    ]);
  });

  test("what is emitted anywhere reaches every client once, text and bytes", async () => {
    const all = await connectToAll();
    const event = ["news", { n: 1 }, Buffer.from([0, 255])];

    all[0]?.socket.emit("toAll", ...event);
    all[2]?.socket.emit("toAll", ...event);
    plain.io.emit("news", { n: 1 }, Buffer.from([0, 255]));
    emitter.emitter.emit("news", { n: 1 }, Buffer.from([0, 255]));
    await until("all have heard four", () => all.every(({ events }) => countOf("news", events) >= 4));
    emitter.emitter.emit("end");

    for (const events of await heard(all)) expect(events).toEqual([event, event, event, event]);
  });

  test("rooms, exceptions, the local flag and namespaces hold across all of them", async () => {
    const [all, chat] = [await connectToAll(), await connectToAll("/chat")];
    const [one, sibling, far] = all as [TestClient, TestClient, TestClient];
    await Promise.all([one.join("r"), far.join("r")]);

    sibling.socket.emit("toRoom", "r", "from the box");
    plain.io.to("r").except(far.id).emit("from the plain server");
    emitter.emitter.to("r").emit("from the emitter");
    far.socket.emit("toAllButMe", "but me");
    one.socket.emit("locally", "here");
    chat[0]?.socket.emit("say", "hi");
    await until("the others have heard it", () =>
      all.every((client) => client === far || client.names().includes("but me")),
    );
    await until("the chat has heard it", () => chat.every((client) => client.names().includes("said")));
    await until("the room has heard all", () => one.names().length >= 6 && far.names().length >= 3);
    plain.io.emit("end");

    const names = (await heard(all)).map((events) => events.map(([name]) => name).sort());
    expect(names.slice(0, 3)).toEqual([
      ["but me", "from the box", "from the emitter", "from the plain server", "here"],
      ["but me"],
      ["from the box", "from the emitter"],
    ]);
    for (const { events } of chat) expect(events).toEqual([["said", "hi"]]);
  });

  test("fetchSockets, emitWithAck and serverSideEmit ask everybody, from a box and from the plain server", async () => {
    const all = await connectToAll();
    const ids = all.map(({ id }) => id).sort();
    for (const { socket, id } of all) socket.on("question", (ack) => ack(id));
    const asker = all[1] as TestClient;

    const fetched = await asker.socket.emitWithAck("fetch");
    const fetchedByPlain = (await plain.io.fetchSockets()).map(({ id }) => id);
    const acked = await asker.socket.emitWithAck("askAll", "question");
    const ackedByPlain = await plain.io.timeout(5000).emitWithAck("question");
    const answers = await asker.socket.emitWithAck("servers");
    const answersForPlain = await plain.io.serverSideEmitWithAck("who");

    for (const found of [fetched, fetchedByPlain, acked, ackedByPlain]) expect(found.sort()).toEqual(ids);
    // Its sibling, both workers of the other box, and the plain server; and for that one, once for each box.
    expect(answers).toHaveLength(4);
    expect(answers).toContain("plain");
    expect(answersForPlain).toHaveLength(2);
  });

  test("socketsJoin and disconnectSockets move and disconnect the clients of every server", async () => {
    const all = await connectToAll();
    const gone = all.map(({ socket }) => new Promise((resolve) => socket.once("disconnect", resolve)));

    all[0]?.socket.emit("moveAll", "moved");
    all[0]?.socket.emit("toRoom", "moved", "end");
    const events = await heard(all);
    all[0]?.socket.emit("kickAll");
    await Promise.all(gone);

    expect(events).toEqual(all.map(() => []));
  });

  test("a worker that is killed leaves no question open", async () => {
    const all = await connectToAll();
    const far = all[2] as TestClient;
    const [{ pid }] = (await far.next("welcome")) as [{ pid: number }];

    process.kill(pid, "SIGKILL");
    const found = await plain.io.fetchSockets();

    expect(found.map(({ id }) => id)).toEqual(expect.arrayContaining([all[0]?.id, all[1]?.id, all[4]?.id]));
  });

  test("with Redis killed each box serves its own clients and says so; with Redis back they are together again", async () => {
    const all = await connectToAll();

    await redis.kill();
    await until("both boxes say so", () => boxes.every((box) => box.stderr().includes("Cut off from other servers")));
    all[0]?.socket.emit("toAll", "alone");
    all[2]?.socket.emit("toAll", "alone");
    await until("each box heard its own", () => all.slice(0, 4).every((client) => client.names().includes("alone")));
    await redis.restart();
    await redis.untilSubscribed(REQUESTS, 3);
    all[0]?.socket.emit("toAll", "end");

    for (const events of (await heard(all)).slice(0, 4)) expect(events).toEqual([["alone"]]);
    for (const box of boxes) expect(box.stderr().match(/Cut off from other servers/g)).toHaveLength(1);
  });

  test("with Redis hung each box serves its own clients and says so; they are together again when it is not", async () => {
    const all = await connectToAll();
    const [one, sibling] = all as [TestClient, TestClient];
    const told = (box: TestBox, what: string) => box.stderr().split(what).length - 1;
    const connected = boxes.map((box) => told(box, "Connected to Redis"));

    redis.freeze();
    one.socket.emit("toAll", "while it hangs");
    await sibling.next("while it hangs");
    await until("both boxes say so", () => boxes.every((box) => told(box, "it does not answer") > 0));
    const found = await one.socket.emitWithAck("fetch");
    redis.thaw();
    await until("both boxes are back", () =>
      boxes.every((box, index) => told(box, "Connected to Redis") > Number(connected[index])),
    );
    await redis.untilSubscribed(REQUESTS, 3);
    one.socket.emit("toAll", "end");
    await heard(all);

    expect(found.sort()).toEqual([one.id, sibling.id].sort());
  });

  test("a box that starts before Redis does is ready all the same and joins later", async () => {
    await redis.kill();
    const late = await start();
    const client = await connectTo(late.url);
    await until("it says so", () => late.stderr().includes("Cut off from other servers"));

    await redis.restart();
    await redis.untilSubscribed(REQUESTS, 4);
    plain.io.emit("together");
    await client.next("together");
    const exitCode = await late.stop();

    expect(exitCode).toBe(0);
    expect(late.stderr()).toContain("Connected to Redis");
  });

  test("a URL that is none is refused before anything starts, and not shown", async () => {
    const refused = startBox({ app: "fanout-app.mjs", env: { REDIS_URL: "http://:s3cret@127.0.0.1" } });

    const { message } = await refused.then(
      () => new Error("it started"),
      (error: Error) => error,
    );

    expect(message).toContain("exit code 78");
    expect(message).toContain("redisUrl must be a redis:// or rediss:// URL");
    expect(message).not.toContain("s3cret");
  });
});

describeWith(["redis-server", "openssl"], "A box and a Redis that speaks TLS", () => {
  let folder: string;
  let redis: RedisServer;
  let tlsUrl: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "allcores-tls-"));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    const kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    await promisify(execFile)("openssl", [...kind, "-keyout", key, "-out", cert, ...subject]);
    const tlsPort = await freePort();
    const files = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert];
    redis = await startRedis(["--tls-port", String(tlsPort), ...files, "--tls-auth-clients", "no"]);
    tlsUrl = `rediss://127.0.0.1:${tlsPort}`;
  });

  afterAll(async () => {
    await redis.kill();
    await rm(folder, { recursive: true });
  });

  test("it connects when it trusts the certificate", async () => {
    const env = { REDIS_URL: tlsUrl, NODE_EXTRA_CA_CERTS: join(folder, "cert.pem") };

    const box = await startBox({ app: "fanout-app.mjs", workers: 1, env });
    await redis.untilSubscribed(REQUESTS, 1);
    await box.stop();

    expect(box.stderr()).toContain("Connected to Redis");
  });

  test("it does not when it does not, and says why", async () => {
    const box = await startBox({ app: "fanout-app.mjs", workers: 1, env: { REDIS_URL: tlsUrl } });

    await until("it says why", () => box.stderr().includes("self-signed certificate"));
    await box.stop();

    expect(await redis.countSubscribers(REQUESTS)).toBe(0);
  });
});

function countOf(name: string, events: readonly unknown[][]): number {
  return events.filter(([event]) => event === name).length;
}
