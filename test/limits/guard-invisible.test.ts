// Well-behaved apps and clients do not notice the guard: what Socket.IO promises stays as it is.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type Socket } from "socket.io";
import { io as connect } from "socket.io-client";
import { afterEach, describe, expect, test } from "vitest";
import { type GuardedServer, nextEvent, startGuardedServer } from "../helpers/guarded-server.ts";
import { connectRaw } from "../helpers/raw-client.ts";

let server: GuardedServer;
afterEach(() => server.close());

/** A connected pair, for tests that look at the server's side. */
async function connectPair(setup: (io: Server) => void = () => {}) {
  server = await startGuardedServer({ setup });
  const client = server.client({ transports: ["websocket"] });
  const [[socket]] = await Promise.all([nextEvent<[Socket]>(server.io, "connection"), nextEvent(client, "connect")]);
  return { socket, client };
}

describe("the listeners of a socket", () => {
  test("are those that the app added, by every way of asking", async () => {
    const { socket } = await connectPair();
    const listener = (): void => {};
    const onceListener = (): void => {};

    socket.on("event", listener);
    socket.once("event", onceListener);

    expect(socket.listeners("event")).toEqual([listener, onceListener]);
    expect(socket.rawListeners("event")[0]).toBe(listener);
    expect(socket.listenerCount("event")).toBe(2);
    expect(socket.eventNames()).toEqual(["error", "event"]);
  });

  test("are called in order, `once` ones once, with the socket as `this`", async () => {
    const { socket, client } = await connectPair();
    const calls: string[] = [];
    socket.on("event", function (this: Socket, ack) {
      calls.push(this === socket ? "on" : "on, without its socket");
      ack();
    });
    socket.once("event", () => calls.push("once"));
    socket.prependListener("event", () => calls.push("prepended"));
    socket.prependOnceListener("event", () => calls.push("prepended once"));

    await client.emitWithAck("event");
    await client.emitWithAck("event");

    expect(calls).toEqual(["prepended once", "prepended", "on", "once", "prepended", "on"]);
  });

  test.each(["off", "removeListener", "removeAllListeners"] as const)("go away with `%s`", async (method) => {
    const { socket, client } = await connectPair();
    const calls: string[] = [];
    const listener = (): number => calls.push("removed");
    socket.on("event", listener);
    socket.once("event", listener);

    if (method === "removeAllListeners") socket[method]("event");
    else for (let count = 0; count < 2; count++) socket[method]("event", listener);
    socket.on("event", (ack) => ack());
    await client.emitWithAck("event");

    expect(calls).toEqual([]);
  });

  test("may remove each other while an event is handled", async () => {
    const { socket, client } = await connectPair();
    const calls: string[] = [];
    const second = (): number => calls.push("second");
    socket.on("event", (ack) => {
      socket.off("event", second);
      ack();
    });
    socket.on("event", second);

    await client.emitWithAck("event");
    await client.emitWithAck("event");

    expect(calls).toEqual(["second"]);
  });

  test("for any event are those that the app added, and see the event before its handler", async () => {
    const { socket, client } = await connectPair();
    const calls: unknown[] = [];
    const removed = (): number => calls.push("removed");
    const any = (...event: unknown[]): number => calls.push(event);
    socket.onAny(any);
    socket.prependAny(removed);
    socket.offAny(removed);
    socket.on("event", (_data, ack) => {
      calls.push("handler");
      ack();
    });

    await client.emitWithAck("event", 1);

    expect(socket.listenersAny()).toEqual([any]);
    expect(calls).toEqual([["event", 1, expect.any(Function)], "handler"]);
  });
});

describe("the middlewares of a socket", () => {
  test("may change an event, and stop it with an error that the app's `error` listener gets", async () => {
    const { socket, client } = await connectPair();
    socket.use((event, next) => {
      event.splice(0, 1, "wrapped", event[0]);
      next(event[1] === "bad" ? new Error("stopped") : undefined);
    });
    socket.on("wrapped", (name, ack) => ack(name));

    const answer = await client.emitWithAck("good");
    client.emit("bad");
    const [error] = await nextEvent<[Error]>(socket, "error");

    expect(answer).toBe("good");
    expect(error.message).toBe("stopped");
  });
});

describe("the middlewares of a namespace", () => {
  test("refuse with the message and data of their own error", async () => {
    server = await startGuardedServer({
      setup: (io) => io.use((_socket, next) => next(Object.assign(new Error("not you"), { data: { a: 1 } }))),
    });

    const [error] = await nextEvent<[Error & { data?: unknown }]>(server.client(), "connect_error");

    expect([error.message, error.data]).toEqual(["not you", { a: 1 }]);
    expect(server.refused.size).toBe(0);
  });
});

test("an app's data on a socket is untouched", async () => {
  const { socket } = await connectPair();

  expect(socket.data).toEqual({});
  expect(socket.handshake.auth).toEqual({});
});

test("broadcasts with acks collect the answers of all clients", async () => {
  const { client } = await connectPair();
  client.on("question", (ack) => ack(42));

  expect(await server.io.timeout(5000).emitWithAck("question")).toEqual([42]);
});

test("dynamic namespaces are made once, also when two clients ask at a time", async () => {
  const created: string[] = [];
  const waiting: (() => void)[] = [];
  server = await startGuardedServer({
    setup: (io) => {
      io.on("new_namespace", ({ name }) => created.push(name));
      io.of((_name, _auth, next) => {
        waiting.push(() => next(null, true));
        if (waiting.length === 2) for (const answer of waiting) answer();
      });
    },
  });
  const clients = [server.client({}, "/dynamic"), server.client({}, "/dynamic")];

  await Promise.all(clients.map((client) => nextEvent(client, "connect")));

  expect(created).toEqual(["/dynamic"]);
});

describe("a protocol violation", () => {
  // The app's listener has always got the parser's own error there, and the reason was always this one.
  test("reaches the socket's `error` listener and ends the connection", async () => {
    server = await startGuardedServer();
    const connected = nextEvent<[Socket]>(server.io, "connection");
    const client = await connectRaw(server.port);
    const [socket] = await connected;
    const ends = Promise.all([nextEvent<[Error]>(socket, "error"), nextEvent(socket, "disconnect")]);

    client.send("45woooot");
    const [[error], [reason]] = await ends;

    expect(error.message).toBe("Illegal attachments");
    expect(reason).toBe("forced close");
  });

  test.each(["40", '42/elsewhere,["event"]', "41/elsewhere"])("such as %j ends the connection", async (frame) => {
    server = await startGuardedServer();
    const client = await connectRaw(server.port);

    client.send(frame);
    await client.closed;

    expect(server.refused.size).toBe(0);
  });
});

test("a client of protocol 3 connects, and to a namespace with a query longer than a name may be", async () => {
  server = await startGuardedServer({ io: { allowEIO3: true }, setup: (io) => io.of("/chat") });
  const connected = nextEvent<[Socket]>(server.io.of("/chat"), "connection");
  const client = await connectRaw(server.port, { join: false, query: "EIO=3" });
  await client.next("40");

  client.send(`40/chat?token=${"x".repeat(1000)},`);
  const [socket] = await connected;

  expect(socket.handshake.auth).toEqual({ token: "x".repeat(1000) });
});

test("a recovered client gets what it missed", async () => {
  server = await startGuardedServer({
    io: { connectionStateRecovery: {} },
    setup: (io) => io.on("connection", (socket) => socket.emit("hello")),
  });
  const client = server.client({ transports: ["websocket"], reconnection: true, reconnectionDelay: 1 });
  await nextEvent(client, "hello");
  const { id } = client;

  client.io.engine.close();
  server.io.emit("missed", 1);
  const missed = await nextEvent(client, "missed");

  expect(missed[0]).toBe(1);
  expect([client.recovered, client.id]).toEqual([true, id]);
});

test("a server can be closed and listen again", async () => {
  const { client } = await connectPair((io) => io.on("connection", (socket) => socket.on("event", (ack) => ack("ok"))));
  client.disconnect();
  await server.io.close();

  server.io.listen(server.port);
  const later = server.client();

  expect(await later.emitWithAck("event")).toBe("ok");
});

test("another server in the same process, without a guard, is left alone", async () => {
  server = await startGuardedServer();
  const http = createServer();
  const plain = new Server(http);
  plain.on("connection", (socket) => socket.on("deep", (data, ack) => ack(data)));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const client = connect(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, { forceNew: true });
  const deep = JSON.parse("[".repeat(100) + "]".repeat(100));

  const answer = await client.emitWithAck("deep", deep);
  client.disconnect();
  await plain.close();

  expect(answer).toEqual(deep);
});
