// An app's code that fails, for a client's reasons or its own: that client gets an answer, everybody else is served on.

import type { Server, Socket } from "socket.io";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type GuardedServer, nextEvent, startGuardedServer } from "../helpers/guarded-server.ts";
import { connectRaw } from "../helpers/raw-client.ts";

const failed = { code: "ALLCORES_ERR_HANDLER", message: "The server failed to handle this. Its log says why." };

let server: GuardedServer;
afterEach(async () => {
  const bystander = server.client({ transports: ["websocket"] }, "/bystander");
  await nextEvent(bystander, "connect");
  await server.close();
});

async function start(setup: (io: Server) => void): Promise<void> {
  server = await startGuardedServer({
    setup: (io) => {
      setup(io);
      io.of("/bystander");
    },
  });
}

function onConnection(serve: (socket: Socket) => void): Promise<void> {
  return start((io) => io.on("connection", serve));
}

const explode = (): never => {
  throw new Error("the password is hunter2");
};
const rejectLater = async (): Promise<never> => {
  await new Promise((resolve) => setImmediate(resolve));
  return explode();
};

describe.each([
  ["throws", explode],
  ["rejects", rejectLater],
])("a handler that %s", (_how, fail) => {
  test("costs its client an error in the ack, and the details stay in the log", async () => {
    await onConnection((socket) => socket.on("event", fail));
    const client = server.client();

    expect(await client.emitWithAck("event", 1)).toEqual({ error: failed });
    expect(server.logged).toEqual(["a handler failed: the password is hunter2"]);
    expect(server.refused).toEqual(new Map([["handler", 1]]));
  });

  test("costs its client an error event when there is no ack", async () => {
    await onConnection((socket) => socket.on("event", fail));
    const client = server.client();

    client.emit("event", 1);

    expect(await nextEvent(client, "allcores:error")).toEqual([{ ...failed, event: "event" }]);
  });

  test.each(["once", "prependListener", "prependOnceListener", "onAny", "prependAny", "use"] as const)(
    "is contained when it was added with `%s`",
    async (method) => {
      await onConnection((socket) => {
        if (method === "onAny" || method === "prependAny" || method === "use") socket[method](fail);
        else socket[method]("event", fail);
      });
      const client = server.client();

      expect(await client.emitWithAck("event", 1)).toEqual({ error: failed });
    },
  );

  test("does not answer a second time when it has called the ack before", async () => {
    await onConnection((socket) =>
      socket.on("event", (ack) => {
        ack("done");
        return fail();
      }),
    );
    const client = server.client();
    const errors: unknown[] = [];
    client.on("allcores:error", (error) => errors.push(error));

    const answers = [await client.emitWithAck("event"), await client.emitWithAck("event")];

    expect(answers).toEqual(["done", "done"]);
    expect(errors).toEqual([]);
  });

  test("of `connection` disconnects its client, with an error", async () => {
    await start((io) => io.on("connection", fail));
    const client = server.client();

    const [[error], [reason]] = await Promise.all([
      nextEvent(client, "allcores:error"),
      nextEvent(client, "disconnect"),
    ]);

    expect(error).toEqual(failed);
    expect(reason).toBe("io server disconnect");
  });

  test("of `disconnect` or `disconnecting` costs nobody anything", async () => {
    const isGone = new Promise<void>((resolve) => {
      void onConnection((socket) => {
        socket.on("disconnecting", fail);
        socket.on("disconnect", fail);
        socket.on("disconnect", () => resolve());
      }).then(() => {
        const client = server.client();
        client.on("connect", () => client.disconnect());
      });
    });

    await isGone;
  });

  test("as a namespace's middleware refuses the connection, without the details", async () => {
    await start((io) => io.use(fail));
    const client = server.client();

    const [error] = await nextEvent<[Error & { data?: unknown }]>(client, "connect_error");

    expect(error.message).toBe(failed.message);
    expect(error.data).toEqual({ code: failed.code });
  });

  test("as a namespace's matcher refuses the namespace", async () => {
    await start((io) => io.of(fail));
    const client = server.client({}, "/anything");

    const [error] = await nextEvent<[Error]>(client, "connect_error");

    expect(error.message).toBe("Invalid namespace");
  });

  test("as an ack callback costs its client an error event", async () => {
    await onConnection((socket) => socket.emit("question", fail));
    const client = server.client();
    client.on("question", (ack) => ack(42));

    expect(await nextEvent(client, "allcores:error")).toEqual([failed]);
  });

  test("as an ack callback that waited in vain costs nobody anything", async () => {
    await onConnection((socket) => {
      socket.timeout(1).emit("question", fail);
      socket.nsp.timeout(1).emit("question", fail);
    });
    server.client();

    await expect.poll(() => server.logged.length).toBe(2);
  });

  test("that hears of outgoing events costs nobody anything", async () => {
    await onConnection((socket) => {
      socket.onAnyOutgoing(fail);
      socket.on("event", (ack) => {
        socket.nsp.emit("news", 1);
        ack("ok");
      });
    });
    const [first, second] = [server.client(), server.client()];
    await Promise.all([nextEvent(first, "connect"), nextEvent(second, "connect")]);

    const news = Promise.all([nextEvent(first, "news"), nextEvent(second, "news")]);

    expect(await first.emitWithAck("event")).toBe("ok");
    expect(await news).toEqual([[1], [1]]);
  });

  test("of an event from another server costs nobody anything", async () => {
    await start((io) => io.on("from another server", fail));

    // biome-ignore lint/suspicious/noExplicitAny: what an adapter calls when such an event comes in
    (server.io.sockets as any)._onServerSideEmit(["from another server", 1]);

    await expect.poll(() => server.logged).toEqual(["a handler failed: the password is hunter2"]);
  });
});

// What ordinary handlers do with what a client leaves out or makes up.
describe.each([
  ["leaves out the ack", '42["sum",{"a":1,"b":2}]', "TypeError"],
  ["sends null for the argument", '421["sum",null]', "TypeError"],
  ["sends no argument", '42["sum"]', "TypeError"],
  ["sends something else for the ack", '42["sum",{"a":1,"b":2},"ack"]', "TypeError"],
])("a client that %s", (_what, frame) => {
  test("gets an error and is served on", async () => {
    await onConnection((socket) => socket.on("sum", ({ a, b }, ack) => ack(a + b)));
    const client = await connectRaw(server.port);

    client.send(frame);
    client.send('429["sum",{"a":1,"b":2}]');

    expect(await client.next("439")).toBe("439[3]");
    expect(client.received.filter((received) => received.includes("ALLCORES_ERR_HANDLER"))).toHaveLength(1);
  });
});

test("an ack is called with what no JSON can say: its client gets an error", async () => {
  await onConnection((socket) => socket.on("event", (ack) => ack(1n)));
  const client = server.client();

  expect(await client.emitWithAck("event")).toEqual({ error: failed });
});

test("listeners after the one that failed are still called", async () => {
  const called: string[] = [];
  await onConnection((socket) => {
    socket.on("event", explode);
    socket.on("event", () => called.push("second"));
  });
  const client = server.client();

  await client.emitWithAck("event");

  expect(called).toEqual(["second"]);
});

test("a function that a middleware put among the arguments is not taken for the client's ack", async () => {
  let isCalled = false;
  await onConnection((socket) => {
    socket.use((event, next) => {
      event.push(() => (isCalled = true));
      next();
    });
    socket.on("event", explode);
  });
  const client = server.client();

  client.emit("event");
  await nextEvent(client, "allcores:error");

  expect(isCalled).toBe(false);
});

test("failures are all counted, but a client does not decide how much is logged", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  await onConnection((socket) => socket.on("event", explode));
  const client = server.client({ transports: ["websocket"] });
  await nextEvent(client, "connect");

  await Promise.all(Array.from({ length: 150 }, () => client.emitWithAck("event")));

  expect(server.refused.get("handler")).toBe(150);
  expect(server.logged.length).toBe(50);
  vi.useRealTimers();
});
