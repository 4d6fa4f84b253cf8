// A box between servers of another make: the official Redis adapter and the official emitter, over a real Redis.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  connectClient,
  joinOnRequest,
  startBox,
  type TestBox,
  type TestClient,
  type TestServer,
} from "../helpers/fanout-box.ts";
import { createEmitter, startPlainServer } from "../helpers/plain-server.ts";
import { type RedisServer, startRedis } from "../helpers/redis-server.ts";
import { describeWith } from "../helpers/requirements.ts";

describeWith("redis-server", "A box and other servers on one Redis", () => {
  let redis: RedisServer;
  let box: TestBox;
  let plain: TestServer;
  const clients: TestClient[] = [];
  let closeEmitter: () => void;
  let emitter: ReturnType<typeof createEmitter>["emitter"];

  beforeAll(async () => {
    redis = await startRedis();
    plain = await startPlainServer(redis.url);
    box = await startBox({ redisUrl: redis.url });
    ({ emitter, close: closeEmitter } = createEmitter(redis.url));
    for (const server of servers()) {
      joinOnRequest(server);
      server.io.of("/chat");
      server.io.of(/^\/dynamic-\d+$/);
    }
    for (const nsp of ["/", "/chat"]) await redis.untilSubscribed(`socket.io-request#${nsp}#`, 2);
  });

  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

  afterAll(async () => {
    closeEmitter();
    await box.close();
    await plain.close();
    await redis.kill();
  });

  async function connectTo(server: TestServer, nsp = "/"): Promise<TestClient> {
    const client = await connectClient(server, nsp);
    clients.push(client);
    return client;
  }

  /** Both workers of the box, then the plain server. */
  const servers = (): [TestServer, TestServer, TestServer] => {
    const [first, second] = box.workers;
    return [first as TestServer, second as TestServer, plain];
  };
  const boxServer = (): TestServer => servers()[0];
  const connectToAll = (nsp?: string): Promise<TestClient[]> =>
    Promise.all(servers().map((server) => connectTo(server, nsp)));

  /** Who emits, for what must hold in both directions. */
  const directions = [
    ["a worker of the box", boxServer],
    ["a plain server", () => plain],
  ] as const;

  test("the box holds one connection to publish and one to subscribe, however many workers it has", async () => {
    const names = (await redis.clientNames()).filter((name) => name.startsWith("allcores"));

    expect(names.sort()).toEqual(["allcores-publisher", "allcores-subscriber"]);
  });

  describe.each(directions)("from %s", (_name, from) => {
    test("an event reaches every client of every server once", async () => {
      const all = await connectToAll();

      from().io.emit("news", 1, { deep: ["x", null] });
      await Promise.all(all.map((client) => client.next("news")));
      // Behind anything that might still come back from Redis.
      emitter.emit("end");
      await Promise.all(all.map((client) => client.next("end")));

      for (const { events } of all) expect(events).toEqual([["news", 1, { deep: ["x", null] }], ["end"]]);
    });

    test("bytes arrive as bytes", async () => {
      const all = await connectToAll();

      from().io.emit("file", { name: "a", bytes: Buffer.from([0, 1, 255]) });
      const received = await Promise.all(all.map((client) => client.next("file")));

      for (const args of received) expect(args).toEqual([{ name: "a", bytes: Buffer.from([0, 1, 255]) }]);
    });

    test("an event for one room, for several, and for all but one reaches those that are meant", async () => {
      const all = await connectToAll();
      const [inA, inB, inBoth] = all as [TestClient, TestClient, TestClient];
      await Promise.all([inA.join("a"), inB.join("b"), inBoth.join("a"), inBoth.join("b")]);

      from().io.to("a").emit("to a");
      from().io.to(["a", "b"]).emit("to a and b");
      from().io.except("a").emit("all but a");
      from().io.to("a").except("b").emit("a but not b");
      from().io.emit("end");
      await Promise.all(all.map((client) => client.next("end")));

      expect(inA.names()).toEqual(["to a", "to a and b", "a but not b", "end"]);
      expect(inB.names()).toEqual(["to a and b", "all but a", "end"]);
      expect(inBoth.names()).toEqual(["to a", "to a and b", "end"]);
    });

    test("an event for one socket reaches it, wherever it is connected", async () => {
      const all = await connectToAll();

      for (const { id } of all) from().io.to(id).emit("you", id);
      const received = await Promise.all(all.map((client) => client.next("you")));

      expect(received).toEqual(all.map(({ id }) => [id]));
    });

    test("a volatile event reaches clients that can take it", async () => {
      const all = await connectToAll();

      from().io.volatile.emit("cursor", 7);
      const received = await Promise.all(all.map((client) => client.next("cursor")));

      expect(received).toEqual([[7], [7], [7]]);
    });

    test("namespaces are kept apart, dynamic ones too", async () => {
      const [main, chat, dynamic] = await Promise.all([
        connectToAll(),
        connectToAll("/chat"),
        connectToAll("/dynamic-1"),
      ]);
      await redis.untilSubscribed("socket.io-request#/dynamic-1#", 2);

      from().io.of("/chat").emit("chat");
      from().io.of("/dynamic-1").emit("dynamic");
      for (const nsp of ["/", "/chat", "/dynamic-1"]) from().io.of(nsp).emit("end");
      await Promise.all([main, chat, dynamic].flat().map((client) => client.next("end")));

      for (const client of main) expect(client.names()).toEqual(["end"]);
      for (const client of chat) expect(client.names()).toEqual(["chat", "end"]);
      for (const client of dynamic) expect(client.names()).toEqual(["dynamic", "end"]);
    });

    test("socketsJoin, socketsLeave and emit take effect everywhere, in that order", async () => {
      const all = await connectToAll();
      const { io } = from();

      io.socketsJoin("r1");
      io.to("r1").emit("joined");
      io.socketsLeave("r1");
      io.to("r1").emit("left");
      io.emit("end");
      await Promise.all(all.map((client) => client.next("end")));

      // A plain server applies socketsJoin to its own clients only when it comes back from Redis.
      for (const client of from() === plain ? all.slice(0, 2) : all) expect(client.names()).toEqual(["joined", "end"]);
    });

    test("emit, then disconnectSockets: every client gets the event and is gone", async () => {
      const all = await connectToAll();
      const gone = all.map(({ socket }) => new Promise((resolve) => socket.once("disconnect", resolve)));

      from().io.emit("bye");
      from().io.disconnectSockets(true);
      await Promise.all(gone);

      for (const { events } of all) expect(events).toEqual([["bye"]]);
    });

    test("fetchSockets knows every socket of every server once, with rooms, handshake and data", async () => {
      const all = await connectToAll();
      await Promise.all(all.map((client) => client.join("found")));
      for (const { io } of servers()) for (const [id, socket] of io.sockets.sockets) socket.data = { owner: id };
      await connectToAll();

      const found = await from().io.in("found").fetchSockets();

      expect(found.map(({ id }) => id).sort()).toEqual(all.map(({ id }) => id).sort());
      for (const { id, data, rooms, handshake } of found) {
        expect([data, [...rooms]]).toEqual([{ owner: id }, [id, "found"]]);
        expect(handshake.headers).toBeDefined();
      }
    });

    test("a fetched socket of another server can be spoken to, moved and disconnected", async () => {
      const all = await connectToAll();
      const gone = all.map(({ socket }) => new Promise((resolve) => socket.once("disconnect", resolve)));

      const found = await from().io.fetchSockets();
      for (const socket of found) socket.emit("hello", socket.id);
      const heard = await Promise.all(all.map((client) => client.next("hello")));
      for (const socket of found) socket.disconnect(true);

      expect(heard).toEqual(all.map(({ id }) => [id]));
      await Promise.all(gone);
    });

    test("serverSideEmit reaches every other server and worker", async () => {
      const others = servers().filter((server) => server !== from());
      const heard = others.map(({ io }) => new Promise((resolve) => io.once("hello", (...args) => resolve(args))));

      from().io.serverSideEmit("hello", "world", { n: 1 });
      const received = await Promise.all(heard);

      expect(received).toEqual(others.map(() => ["world", { n: 1 }]));
    });

    test("emitWithAck waits for every client of every server", async () => {
      const all = await connectToAll();
      for (const { socket, id } of all)
        socket.on("question", (n: number, ack) => ack({ id, n, bytes: Buffer.from([n]) }));

      const answers = await from().io.timeout(5000).emitWithAck("question", 3);

      const expected = all.map(({ id }) => ({ id, n: 3, bytes: Buffer.from([3]) }));
      expect(answers.sort(byId)).toEqual(expected.sort(byId));
    });

    test("emitWithAck fails when a client of another server stays silent, with the answers there are", async () => {
      const all = await connectToAll();
      const [ours] = all.splice(servers().indexOf(from()), 1);
      ours?.socket.on("question", (ack) => ack("ours"));

      const failure = await from()
        .io.timeout(300)
        .emitWithAck("question")
        .catch((error) => error);

      expect(failure.responses).toEqual(["ours"]);
    });

    test("an event with the local flag stays on its server", async () => {
      const all = await connectToAll();

      from().io.local.emit("here");
      from().io.emit("end");
      await Promise.all(all.map((client) => client.next("end")));

      const heard = all.filter((client) => client.names().includes("here"));
      expect(heard).toEqual([all[servers().indexOf(from())]]);
    });
  });

  test("a plain server gets one answer from the box to serverSideEmit, when all workers have answered", async () => {
    for (const { io } of box.workers) io.once("who", (ack: (name: string) => void) => ack("a worker"));

    const answers = await plain.io.serverSideEmitWithAck("who");

    expect(answers).toEqual(["a worker"]);
  });

  test("a worker gets the answers of its siblings and of other servers to serverSideEmit", async () => {
    const [, sibling] = servers();
    sibling.io.once("who", (ack: (name: string) => void) => ack("the sibling"));
    plain.io.once("who", (ack: (name: string) => void) => ack("the plain server"));

    const answers = await boxServer().io.serverSideEmitWithAck("who");

    expect(answers).toEqual(["the sibling", "the plain server"]);
  });

  test("a plain server learns all rooms of the box", async () => {
    const all = await connectToAll();
    await Promise.all(all.map((client, index) => client.join(`room ${index}`)));

    const rooms = await (plain.io.of("/").adapter as unknown as { allRooms(): Promise<Set<string>> }).allRooms();

    expect([...rooms]).toEqual(expect.arrayContaining(["room 0", "room 1", "room 2"]));
  });

  describe("the emitter", () => {
    test("reaches the clients it means, with text and bytes, once", async () => {
      const all = await connectToAll();
      const [inA, inB] = all as [TestClient, TestClient, TestClient];
      await Promise.all([inA.join("a"), inB.join("b")]);

      emitter.to("a").emit("to a", Buffer.from([1, 2]));
      emitter.except("a").emit("all but a");
      emitter.of("/chat").emit("chat");
      emitter.emit("end");
      await Promise.all(all.map((client) => client.next("end")));

      expect(inA.events).toEqual([["to a", Buffer.from([1, 2])], ["end"]]);
      expect(inB.names()).toEqual(["all but a", "end"]);
    });

    test("moves and disconnects sockets, and speaks to servers", async () => {
      const [one, two] = (await connectToAll()) as [TestClient, TestClient, TestClient];
      const heard = box.workers.map(({ io }) => new Promise((resolve) => io.once("deploy", resolve)));
      const gone = new Promise((resolve) => two.socket.once("disconnect", resolve));

      emitter.in(one.id).socketsJoin("moved");
      emitter.to("moved").emit("moved");
      emitter.socketsLeave("moved");
      emitter.to("moved").emit("moved again");
      emitter.in(two.id).disconnectSockets(true);
      emitter.serverSideEmit("deploy", 42);
      emitter.emit("end");
      await one.next("end");

      expect(one.names()).toEqual(["moved", "end"]);
      expect(await Promise.all(heard)).toEqual([42, 42]);
      await gone;
    });
  });
});

const byId = (a: { id: string }, b: { id: string }): number => a.id.localeCompare(b.id);
