// The stock socket.io-client against a box: everything the Socket.IO documentation shows, over every transport.

import type { Socket } from "socket.io-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startBox, type TestBox } from "../helpers/box.ts";
import { connectClient, nextEvent, TRANSPORTS } from "../helpers/clients.ts";

interface Welcome {
  readonly slot: number;
}

const CLIENTS = 8;

describe.each([
  [1, "box"],
  [4, "box"],
  [1, "ipc"],
  [4, "ipc"],
])("a box of %i worker(s), bus %s", (workers, bus) => {
  let box: TestBox;
  let open: Socket[] = [];

  beforeAll(async () => {
    box = await startBox({ app: "echo-app.mjs", workers, flags: ["--bus", bus] });
  });
  afterEach(() => {
    for (const socket of open) socket.disconnect();
    open = [];
  });
  afterAll(() => box.stop());

  describe.each(Object.entries(TRANSPORTS))("with %s", (_name, transports) => {
    async function connect(namespace = ""): Promise<{ socket: Socket; welcome: Welcome }> {
      const connected = await connectClient<Welcome>(box.url + namespace, { transports: [...transports] });
      open.push(connected.socket);
      return connected;
    }

    function connectMany(): Promise<{ socket: Socket; welcome: Welcome }[]> {
      return Promise.all(Array.from({ length: CLIENTS }, () => connect()));
    }

    test("clients are spread over all workers", async () => {
      const clients = await Promise.all([connectMany(), connectMany(), connectMany()]);

      expect(new Set(clients.flat().map(({ welcome }) => welcome.slot)).size).toBe(workers);
    });

    test("a room message reaches every member on every worker, text and binary, once", async () => {
      const clients = await connectMany();
      await Promise.all(clients.map(({ socket }) => socket.emitWithAck("join", "lobby")));
      const heard = clients.map(({ socket }) => nextEvent<Buffer>(socket, "said"));

      clients[0]?.socket.emit("say", "lobby", Buffer.from("bytes ü"));

      expect((await Promise.all(heard)).map(String)).toEqual(clients.map(() => "bytes ü"));
    });

    test("an ack brings back text, objects, null and binary", async () => {
      const { socket } = await connect();
      const sent = ["ü€😀", { a: [1, null, { b: true }] }, null, Buffer.from([0, 255])];

      const echoed = await new Promise((resolve) =>
        socket.emit("echo", ...sent, (...args: unknown[]) => resolve(args)),
      );

      expect(echoed).toEqual(sent);
    });

    test("emitWithAck to a room collects one answer of each member", async () => {
      const clients = await connectMany();
      await Promise.all(clients.map(({ socket }) => socket.emitWithAck("join", "quiz")));
      for (const [i, { socket }] of clients.entries()) socket.on("question", (answer) => answer(i));

      const answers: number[] = await clients[0]?.socket.emitWithAck("ask", "quiz");

      expect(answers.sort((a, b) => a - b)).toEqual(clients.map((_, i) => i));
    });

    test("fetchSockets sees the whole box", async () => {
      const clients = await connectMany();

      const ids: string[] = await clients[0]?.socket.emitWithAck("sockets");

      expect(ids).toEqual(expect.arrayContaining(clients.map(({ socket }) => socket.id)));
    });

    test("serverSideEmitWithAck is answered by every other worker", async () => {
      const { socket, welcome } = await connect();

      const slots: number[] = await socket.emitWithAck("serverSide");

      const others = Array.from({ length: workers }, (_, slot) => slot).filter((slot) => slot !== welcome.slot);
      expect(slots.sort()).toEqual(others);
    });

    test("a socket of another worker can be disconnected by its id", async () => {
      const [kicker, kicked] = await connectMany();
      const gone = new Promise((resolve) => kicked?.socket.once("disconnect", resolve));

      kicker?.socket.emit("kick", kicked?.socket.id);

      // `disconnectSockets(true)` closes the connection below, which a client on long-polling sees first.
      expect(["io server disconnect", "transport close"]).toContain(await gone);
    });

    test("socketsJoin moves the sockets of all workers", async () => {
      const clients = await connectMany();
      const heard = clients.map(({ socket }) => nextEvent<string>(socket, "said"));

      clients[0]?.socket.emit("moveAll", "moved");
      await clients[0]?.socket.emitWithAck("sockets");
      await Promise.all(clients.map(({ socket }) => socket.emitWithAck("echo")));
      clients[0]?.socket.emit("say", "moved", "together");

      expect(await Promise.all(heard)).toEqual(clients.map(() => "together"));
    });

    test.each(["/other", "/dynamic-7"])("namespace %s works across workers", async (namespace) => {
      const sockets = await Promise.all(
        Array.from({ length: CLIENTS }, async () => {
          const { socket } = await connect();
          return socket.io.socket(namespace);
        }),
      );
      await Promise.all(sockets.map((socket) => socket.connected || nextEvent(socket, "connect")));
      const heard = sockets.map((socket) => nextEvent<string>(socket, "said"));

      sockets[0]?.emit("say", "hello");

      expect(await Promise.all(heard)).toEqual(sockets.map(() => "hello"));
    });
  });

  test("polling upgrades to WebSocket on the same worker", async () => {
    const { socket, welcome } = await connectClient<Welcome>(box.url, { transports: ["polling", "websocket"] });
    open.push(socket);
    if (socket.io.engine.transport.name !== "websocket") {
      await new Promise((resolve) => socket.io.engine.once("upgrade", resolve));
    }

    const slot: number = await socket.emitWithAck("join", "upgraded");

    expect(socket.io.engine.transport.name).toBe("websocket");
    expect(slot).toBe(welcome.slot);
  });
});
