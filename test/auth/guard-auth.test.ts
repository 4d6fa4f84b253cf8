// Authentication on a real server with stock clients.

import type { Server, Socket } from "socket.io";
import { afterEach, describe, expect, test } from "vitest";
import { signToken } from "../../src/auth/jwt.ts";
import { resolveOptions } from "../../src/options/resolve.ts";
import {
  type GuardedServer,
  type GuardedServerSettings,
  nextEvent,
  startGuardedServer,
} from "../helpers/guarded-server.ts";
import { connectRaw } from "../helpers/raw-client.ts";

const config = { "auth.jwtSecret": "0123456789abcdef0123456789abcdef" };
const { auth } = resolveOptions({ file: config }).options;
const tokenOf = async (sub: string, lifetimeSeconds = 60): Promise<string> =>
  (await signToken(auth, { sub }, lifetimeSeconds)).token;

type Refusal = Error & { data?: unknown };

let server: GuardedServer;
afterEach(() => server.close());

async function start(setup: (io: Server) => void = () => {}, settings: GuardedServerSettings = {}): Promise<void> {
  server = await startGuardedServer({ config, setup, ...settings });
}

describe.each(["websocket", "polling"])("over %s", (transport) => {
  test("a token in `auth` lets in, and its claims are in socket.data", async () => {
    let data: unknown;
    await start((io) =>
      io.on("connection", (socket) => {
        data = socket.data;
      }),
    );
    const client = server.client({ transports: [transport], auth: { token: await tokenOf("ada") } });

    await nextEvent(client, "connect");

    expect(data).toEqual({ claims: { sub: "ada", iat: expect.any(Number), exp: expect.any(Number) } });
  });

  test("a token in the Authorization header lets in", async () => {
    await start();
    const extraHeaders = { Authorization: `Bearer ${await tokenOf("ada")}` };
    const client = server.client({ transports: [transport], extraHeaders });

    await nextEvent(client, "connect");

    expect(client.connected).toBe(true);
  });

  test.each([
    ["missing", {}, "A token is missing: send one as `auth.token`, or in the header `Authorization: Bearer`."],
    ["invalid", { token: "nonsense" }, "The token is invalid: it cannot be read as a JWT."],
    ["invalid", { token: { toString: 1 } }, "The token is invalid: it must be text of up to 16384 characters."],
    ["invalid", { token: "x".repeat(100_000) }, "The token is invalid: it must be text of up to 16384 characters."],
  ])("a client whose token is %s is refused: %j", async (reason, credentials, message) => {
    await start();
    const client = server.client({ transports: [transport], auth: credentials });

    const [error] = await nextEvent<[Refusal]>(client, "connect_error");

    expect(error.message).toBe(message);
    expect(error.data).toEqual({ code: "ALLCORES_ERR_UNAUTHORIZED", reason });
    expect(server.refused).toEqual(new Map([["unauthorized", 1]]));
  });

  test("a client whose token has expired is refused, and let in with a new one", async () => {
    await start();
    const client = server.client({ transports: [transport], auth: { token: await tokenOf("ada", -60) } });
    const [error] = await nextEvent<[Refusal]>(client, "connect_error");

    client.auth = { token: await tokenOf("ada") };
    client.connect();
    await nextEvent(client, "connect");

    expect(error.data).toEqual({ code: "ALLCORES_ERR_UNAUTHORIZED", reason: "expired" });
  });
});

test("the refusal comes before any code of the app, in every kind of namespace", async () => {
  const asked: string[] = [];
  await start((io) => {
    io.use((_socket, next) => next(void asked.push("middleware")));
    io.of("/static").use((_socket, next) => next(void asked.push("static")));
    io.of(/^\/dynamic/).use((_socket, next) => next(void asked.push("dynamic")));
    io.of((_name, _auth, next) => next(null, asked.push("matcher") > 0));
  });
  setImmediate(() => server.io.of("/later").use((_socket, next) => next(void asked.push("later"))));

  const errors = ["/", "/static", "/dynamic-1", "/matched", "/later"].map((namespace) =>
    nextEvent<[Refusal]>(server.client({}, namespace), "connect_error"),
  );

  expect((await Promise.all(errors)).map(([error]) => error.data)).toEqual(
    Array(5).fill({ code: "ALLCORES_ERR_UNAUTHORIZED", reason: "missing" }),
  );
  expect(asked).toEqual([]);
  expect([...server.io._nsps.keys()]).toEqual(["/", "/static", "/later"]);
});

test("the claims are there before the app's middlewares, and each namespace has those of its own token", async () => {
  const seen: unknown[] = [];
  await start((io) => {
    const look = (socket: { data: { claims?: { sub?: string } } }, next: () => void): void => {
      seen.push(socket.data.claims?.sub);
      next();
    };
    io.use(look);
    io.of("/other").use(look);
  });
  const client = server.client({ auth: { token: await tokenOf("ada") } });
  await nextEvent(client, "connect");

  const other = client.io.socket("/other", { auth: { token: await tokenOf("grace") } });
  await nextEvent(other, "connect");

  expect(seen).toEqual(["ada", "grace"]);
});

test("a socket is disconnected when its token expires, and told why; its neighbours stay", async () => {
  await start((io) => io.of("/other"));
  // Five seconds are allowed for clocks that differ: this token is good for two to three more.
  const client = server.client({ auth: { token: await tokenOf("ada", -2) } });
  await nextEvent(client, "connect");
  const other = client.io.socket("/other", { auth: { token: await tokenOf("ada") } });
  await nextEvent(other, "connect");

  const [[error], [reason]] = await Promise.all([nextEvent(client, "allcores:error"), nextEvent(client, "disconnect")]);

  expect(error).toMatchObject({ code: "ALLCORES_ERR_UNAUTHORIZED", reason: "expired" });
  expect(reason).toBe("io server disconnect");
  expect(other.connected).toBe(true);
});

test("a token that expires while the app's middlewares are at it lets nobody in", async () => {
  let letIn = (): void => {};
  await start((io) =>
    io.use((_socket, next) => {
      letIn = next;
    }),
  );
  const client = await connectRaw(server.port, { join: false });

  client.send(`40${JSON.stringify({ token: await tokenOf("ada", -2) })}`);
  await client.closed;
  letIn();

  expect(client.received.some((frame) => frame.startsWith("40"))).toBe(false);
});

// Socket.IO skips middlewares for a client that comes back in time, and would let it in with what it had been.
test("a client that comes back with a recovered state is asked again", async () => {
  await start((io) => io.on("connection", (socket) => socket.emit("hello")), {
    io: { connectionStateRecovery: {} },
  });
  const client = server.client({ reconnection: true, reconnectionDelay: 1, auth: { token: await tokenOf("ada") } });
  await nextEvent(client, "hello");

  client.auth = { token: await tokenOf("ada", -60) };
  client.io.engine.close();
  const [error] = await nextEvent<[Refusal]>(client, "connect_error");
  client.auth = { token: await tokenOf("grace") };
  client.connect();
  await nextEvent(client, "connect");
  const [socket] = await server.io.fetchSockets();

  expect(error.data).toMatchObject({ reason: "expired" });
  expect(socket?.data.claims.sub).toBe("grace");
});

test("a client that goes on guessing is disconnected", async () => {
  await start(() => {}, { config: { ...config, "limits.eventBurst": 5, "limits.eventsPerSecond": 1 } });
  const client = await connectRaw(server.port, { join: false });

  for (let guess = 0; guess < 100; guess++) client.send(`40{"token":"${guess}"}`);
  await client.closed;

  expect(server.refused.get("flood")).toBe(1);
});

test("an app may have data of its own beside the claims", async () => {
  let data: unknown;
  await start((io) => {
    io.use((socket, next) => {
      socket.data.room = "lobby";
      next();
    });
    io.on("connection", (socket) => {
      data = socket.data;
    });
  });

  await nextEvent(server.client({ auth: { token: await tokenOf("ada") } }), "connect");

  expect(data).toMatchObject({ room: "lobby", claims: { sub: "ada" } });
});

test("without a secret everybody is let in, and socket.data is the app's alone", async () => {
  let data: unknown;
  const keepData = (socket: Socket): void => {
    data = socket.data;
  };
  await start((io) => io.on("connection", keepData), { config: {} });

  await nextEvent(server.client({ auth: { token: "nonsense" } }), "connect");

  expect(data).toEqual({});
});
