import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BUILD } from "../../src/bus/build.ts";
import { BusServer } from "../../src/bus/bus-server.ts";
import { connectBus } from "../../src/bus/connect.ts";
import { BusConnection } from "../../src/bus/connection.ts";
import type { BusMessage } from "../../src/bus/messages.ts";
import { type Peer, Peers } from "../../src/bus/peers.ts";
import { until } from "../helpers/until.ts";

const hello = { secret: "s3cret", role: "socket-worker", slot: 2, incarnation: 7 } as const;

let folder: string;
let server: BusServer;
let peers: Peers;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "allcores-bus-"));
  peers = new Peers();
  server = new BusServer({
    path: join(folder, "bus.sock"),
    secret: hello.secret,
    maxFrameBytes: 4096,
    onPeer: (connection, message) => peers.add(connection, message),
  });
  await server.start();
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

function connect(overrides: Partial<typeof hello> = {}, onMessage: (m: BusMessage, body: Buffer) => void = () => {}) {
  return connectBus({ path: join(folder, "bus.sock"), hello: { ...hello, ...overrides }, onMessage });
}

describe("BusServer", () => {
  test("its socket can be opened by its own user alone", async () => {
    const { mode } = await stat(join(folder, "bus.sock"));

    expect(mode & 0o777).toBe(0o600);
  });

  test("messages and their bodies go both ways, in order", async () => {
    peers.on("join", ({ connection }) => {
      for (let i = 0; i < 3; i++) connection.send({ type: "drain", deadlineMs: i }, Buffer.from([i]));
    });
    const received: unknown[] = [];
    let done: () => void = () => {};
    const all = new Promise<void>((resolve) => {
      done = resolve;
    });

    const connection = await connect({}, (message, body) => {
      received.push([message, ...body]);
      if (received.length === 3) done();
    });
    const said = once(peers, "message") as Promise<[Peer, BusMessage, Buffer]>;
    connection.send({ type: "ready" }, Buffer.from("body"));
    const [peer, message, body] = await said;
    await all;

    expect(received).toEqual([0, 1, 2].map((i) => [{ type: "drain", deadlineMs: i }, i]));
    expect([peer.slot, peer.incarnation, message, String(body)]).toEqual([2, 7, { type: "ready" }, "body"]);
    connection.destroy();
  });

  test("is backed up while a peer does not read what is said to it", async () => {
    const joined = once(peers, "join") as Promise<[Peer]>;
    const socket = createConnection(join(folder, "bus.sock"));
    const client = new BusConnection(socket);
    client.send({ type: "hello", ...hello, build: BUILD });
    const [{ connection }] = await joined;
    const before = server.isBackedUp;

    socket.pause();
    for (let i = 0; i < 1000; i++) connection.send({ type: "drain", deadlineMs: i }, Buffer.alloc(4000));
    await until("it is backed up", () => server.isBackedUp);
    socket.resume();
    await until("it is not any more", () => !server.isBackedUp);

    expect(before).toBe(false);
    client.destroy();
  });

  test("refuses a peer without the secret", async () => {
    await expect(connect({ secret: "guess" as "s3cret" })).rejects.toMatchObject({ code: "ALLCORES_ERR_BUS_REFUSED" });
    expect(peers.socketWorkers()).toEqual([]);
  });

  test("refuses a peer of another build and names both", async () => {
    const connection = new BusConnection(createConnection(join(folder, "bus.sock")));
    const answered = once(connection, "message");

    connection.send({ type: "hello", build: "0.0.1+frames.0", ...hello });
    const [answer] = await answered;

    expect(answer).toMatchObject({ type: "refused", error: { code: "ALLCORES_ERR_BUS_REFUSED" } });
    expect(answer.error.message).toContain("0.0.1+frames.0");
    expect(answer.error.message).toContain(BUILD);
  });

  test("bytes that are no frame close that connection and leave the others alone", async () => {
    const good = await connect();
    const bad = createConnection(join(folder, "bus.sock"));

    bad.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(bad, "close");
    const said = once(peers, "message");
    good.send({ type: "ready" });
    const [, message] = await said;

    expect(message).toEqual({ type: "ready" });
    good.destroy();
  });

  test("a peer that does not read is closed at its byte limit with a coded error", async () => {
    const joined = once(peers, "join") as Promise<[Peer]>;
    const socket = createConnection(join(folder, "bus.sock"));
    const connection = new BusConnection(socket);
    connection.send({ type: "hello", build: BUILD, ...hello });
    const [peer] = await joined;
    socket.pause();
    const closed = once(peer.connection, "close");
    const body = Buffer.alloc(1_048_576);

    let sent = 0;
    while (sent < 200 && peer.connection.send({ type: "drain", deadlineMs: 0 }, body)) sent++;
    const [error] = await closed;

    expect(error).toMatchObject({ code: "ALLCORES_ERR_BUS_OVERFLOW" });
    expect(sent).toBeLessThan(100);
    socket.destroy();
  });
});
