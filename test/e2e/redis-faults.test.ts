// What real boxes do when their Redis is killed, hangs, is not there yet, or is not to be trusted.

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";
import { startBox, type TestBox } from "../helpers/box.ts";
import { BoxesOnRedis, heardUntilEnd, REQUESTS, startBoxOn } from "../helpers/boxes-on-redis.ts";
import type { TestClient } from "../helpers/fanout-box.ts";
import { freePort, type RedisServer, startRedis } from "../helpers/redis-server.ts";
import { describeWith } from "../helpers/requirements.ts";
import { until } from "../helpers/until.ts";

describeWith("redis-server", "Boxes whose Redis fails", () => {
  let them: BoxesOnRedis;

  beforeAll(async () => {
    them = await BoxesOnRedis.start("ipc");
  });

  afterEach(() => them.closeClients());

  afterAll(() => them.close());

  test("with Redis killed each box serves its own clients and says so; with Redis back they are together again", async () => {
    const all = await them.connectToAll();

    await them.redis.kill();
    await until("both boxes say so", () =>
      them.boxes.every((box) => box.stderr().includes("Cut off from other servers")),
    );
    all[0]?.socket.emit("toAll", "alone");
    all[2]?.socket.emit("toAll", "alone");
    await until("each box heard its own", () => all.slice(0, 4).every((client) => client.names().includes("alone")));
    await them.redis.restart();
    await them.redis.untilSubscribed(REQUESTS, 3);
    all[0]?.socket.emit("toAll", "end");

    for (const events of (await heardUntilEnd(all)).slice(0, 4)) expect(events).toEqual([["alone"]]);
    for (const box of them.boxes) expect(box.stderr().match(/Cut off from other servers/g)).toHaveLength(1);
  });

  test("with Redis hung each box serves its own clients and says so; they are together again when it is not", async () => {
    const all = await them.connectToAll();
    const [one, sibling] = all as [TestClient, TestClient];
    const told = (box: TestBox, what: string) => box.stderr().split(what).length - 1;
    const connected = them.boxes.map((box) => told(box, "Connected to Redis"));

    them.redis.freeze();
    one.socket.emit("toAll", "while it hangs");
    await sibling.next("while it hangs");
    await until("both boxes say so", () => them.boxes.every((box) => told(box, "it does not answer") > 0));
    const found = await one.socket.emitWithAck("fetch");
    them.redis.thaw();
    await until("both boxes are back", () =>
      them.boxes.every((box, index) => told(box, "Connected to Redis") > Number(connected[index])),
    );
    await them.redis.untilSubscribed(REQUESTS, 3);
    one.socket.emit("toAll", "end");
    await heardUntilEnd(all);

    expect(found.sort()).toEqual([one.id, sibling.id].sort());
  });

  test("a box that starts before Redis does is ready all the same and joins later", async () => {
    await them.redis.kill();
    const late = await startBoxOn(them.redis);
    onTestFinished(async () => {
      await late.stop();
    });
    const client = await them.connectTo(late.url);
    await until("it says so", () => late.stderr().includes("Cut off from other servers"));

    await them.redis.restart();
    await them.redis.untilSubscribed(REQUESTS, 4);
    them.plain.io.emit("together");
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
    onTestFinished(async () => {
      await box.stop();
    });
    await redis.untilSubscribed(REQUESTS, 1);
    await box.stop();

    expect(box.stderr()).toContain("Connected to Redis");
  });

  test("it does not when it does not, and says why", async () => {
    const box = await startBox({ app: "fanout-app.mjs", workers: 1, env: { REDIS_URL: tlsUrl } });
    onTestFinished(async () => {
      await box.stop();
    });

    await until("it says why", () => box.stderr().includes("self-signed certificate"));
    await box.stop();

    expect(await redis.countSubscribers(REQUESTS)).toBe(0);
  });
});
