// What is decided before there is a connection: origins, oversized requests, and the app's own code at that point.

import { once } from "node:events";
import { connect as connectTcp, type Socket as TcpSocket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type GuardedServer, nextEvent, startGuardedServer } from "../helpers/guarded-server.ts";
import { connectRaw } from "../helpers/raw-client.ts";

let server: GuardedServer;
afterEach(() => server.close());

const page = "https://chat.example";
const evil = "https://evil.example";
const config = { "limits.origins": [page] };
const polling = "/socket.io/?EIO=4&transport=polling";

describe("with a list of origins", () => {
  test("long-polling from another page is answered 403, with the reason", async () => {
    server = await startGuardedServer({ config });

    const response = await fetch(server.url + polling, { headers: { Origin: evil } });

    expect(response.status).toBe(403);
    expect(await response.json()).toEqual({
      code: "ALLCORES_ERR_ORIGIN",
      message: "This origin may not connect. If it should, add it to the option limits.origins.",
    });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(server.refused).toEqual(new Map([["origin", 1]]));
  });

  test("a WebSocket from another page is answered 403", async () => {
    server = await startGuardedServer({ config });

    expect(await upgradeStatus(server.port, evil)).toBe(403);
  });

  test("a request for a session that another page opened is answered 403 too", async () => {
    server = await startGuardedServer({ config });
    const sid = await openSession(server.url, { Origin: page });

    const poll = await fetch(`${server.url}${polling}&sid=${sid}`, { headers: { Origin: evil } });

    expect(poll.status).toBe(403);
    expect(await upgradeStatus(server.port, evil, `&sid=${sid}`)).toBe(403);
  });

  test.each([
    ["the page on the list", { Origin: page }],
    ["a program, which sends no origin", {}],
  ])("%s connects, by long-polling and by WebSocket", async (_who, headers) => {
    server = await startGuardedServer({ config });

    const response = await fetch(server.url + polling, { headers });
    const client = await connectRaw(server.port, { headers });

    expect(response.status).toBe(200);
    expect(client.received).toHaveLength(2);
  });

  test("browsers are told so by CORS headers", async () => {
    server = await startGuardedServer({ config });

    const response = await fetch(server.url + polling, { headers: { Origin: page } });

    expect(response.headers.get("access-control-allow-origin")).toBe(page);
  });

  test("CORS settings of the app's own win", async () => {
    server = await startGuardedServer({ config, io: { cors: { origin: page, credentials: true } } });

    const response = await fetch(server.url + polling, { headers: { Origin: page } });

    expect(response.headers.get("access-control-allow-credentials")).toBe("true");
  });

  // A <script> of any page may ask for it with the visitor's cookies, and browsers send no Origin with it.
  test.each(["&j=0", "&%6a=0", "&a=b?&j=0"])("JSONP is refused, however it is asked for: %s", async (query) => {
    server = await startGuardedServer({ config });

    const response = await fetch(server.url + polling + query);

    expect(response.status).toBe(403);
  });

  test("`same` lets in pages of the host that was asked, and no others", async () => {
    server = await startGuardedServer({ config: { "limits.origins": ["same"] } });

    const statuses = await Promise.all([
      upgradeStatus(server.port, `http://127.0.0.1:${server.port}`),
      upgradeStatus(server.port, evil),
    ]);

    expect(statuses).toEqual([101, 403]);
  });

  test("an app hears of refused requests where Socket.IO reports them", async () => {
    const errors: unknown[] = [];
    server = await startGuardedServer({
      config,
      setup: (io) => io.engine.on("connection_error", ({ code, message }) => errors.push({ code, message })),
    });

    await fetch(server.url + polling, { headers: { Origin: evil } });

    expect(errors).toEqual([{ code: 4, message: "Forbidden" }]);
  });

  test("an engine that is attached later is guarded as well", async () => {
    server = await startGuardedServer({ config, setup: (io) => io.attach(io.httpServer, { path: "/later" }) });

    const response = await fetch(`${server.url}/later/?EIO=4&transport=polling`, { headers: { Origin: evil } });

    expect(response.status).toBe(403);
  });
});

test("without a list every page may connect", async () => {
  server = await startGuardedServer();

  expect(await upgradeStatus(server.port, evil)).toBe(101);
});

describe("a POST larger than the limit", () => {
  test.each(["Content-Length: 1000000000", "Transfer-Encoding: chunked"])(
    "with %s is answered 413, and the rest of it is not read",
    async (bodyHeader) => {
      server = await startGuardedServer({ config: { "limits.maxPayloadBytes": 10_000 } });
      const sid = await openSession(server.url);
      const socket = connectTcp(server.port, "127.0.0.1");
      const answer = once(socket, "data");
      socket.on("error", () => {});
      socket.write(`POST ${polling}&sid=${sid} HTTP/1.1\r\nHost: x\r\n${bodyHeader}\r\n\r\n`);

      const sentBytes = await sendUntilClosed(socket, 500_000_000);

      expect(String(await answer)).toMatch(/^HTTP\/1\.1 413 /);
      expect(sentBytes).toBeLessThan(100_000_000);
      expect(server.refused.get("payload")).toBe(1);
    },
  );
});

describe("an app's `allowRequest`", () => {
  test("is still asked", async () => {
    server = await startGuardedServer({ io: { allowRequest: (_req, done) => done("not today", false) } });

    const response = await fetch(server.url + polling);

    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ message: "not today" });
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("secret");
      },
    ],
    ["rejects", () => Promise.reject(new Error("secret"))],
  ])("that %s refuses the request, and the details stay in the log", async (_how, fail) => {
    server = await startGuardedServer({ io: { allowRequest: fail } });

    const response = await fetch(server.url + polling);

    expect(response.status).toBe(403);
    expect(await response.text()).not.toContain("secret");
    expect(server.logged).toEqual(["a handler failed: secret"]);
  });

  // Between the request and the handshake nobody listens to the socket's errors.
  test("may take its time while clients go away", async () => {
    const letThrough: (() => void)[] = [];
    server = await startGuardedServer({
      io: { allowRequest: (_req, done) => void letThrough.push(() => done(undefined, true)) },
    });
    const socket = connectTcp(server.port, "127.0.0.1");
    socket.write(upgradeRequest(evil));
    await expect.poll(() => letThrough.length).toBe(1);

    socket.resetAndDestroy();
    await once(socket, "close");
    await new Promise((resolve) => setImmediate(resolve));
    letThrough[0]?.();

    expect(await upgradeStatusOnceAllowed(letThrough)).toBe(101);
  });
});

test.each([
  [
    "throws",
    () => {
      throw new Error("secret");
    },
  ],
  ["rejects", () => Promise.reject(new Error("secret"))],
])("a middleware of the engine that %s refuses the request", async (_how, fail) => {
  server = await startGuardedServer({ setup: (io) => io.engine.use(fail) });

  const response = await fetch(server.url + polling);

  expect(response.status).toBe(400);
  expect(server.logged).toEqual(["a handler failed: secret"]);
});

// With the path "/" Engine.IO takes every request for its own, and not every target is a URL.
test("a request target that is no URL is answered 400", async () => {
  server = await startGuardedServer({ io: { path: "/", serveClient: false } });
  const socket = connectTcp(server.port, "127.0.0.1");

  socket.write("GET //[ HTTP/1.1\r\nHost: x\r\n\r\n");
  const [answer] = await once(socket, "data");
  socket.destroy();

  expect(String(answer)).toMatch(/^HTTP\/1\.1 400 /);
});

async function openSession(url: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(url + polling, { headers });
  return JSON.parse((await response.text()).slice(1)).sid;
}

/** The status that answers a WebSocket handshake. */
async function upgradeStatus(port: number, origin: string, query = ""): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket${query}`, { origin });
  socket.on("error", () => {});
  const status = await Promise.race([
    nextEvent<[unknown, { statusCode: number }]>(socket, "unexpected-response").then(
      ([, response]) => response.statusCode,
    ),
    nextEvent(socket, "open").then(() => 101),
  ]);
  socket.terminate();
  return status;
}

async function upgradeStatusOnceAllowed(letThrough: (() => void)[]): Promise<number> {
  const status = upgradeStatus(server.port, evil);
  await expect.poll(() => letThrough.length).toBe(2);
  letThrough[1]?.();
  return status;
}

function upgradeRequest(origin: string): string {
  const key = Buffer.alloc(16).toString("base64");
  const headers = ["Host: x", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
  const own = [`Sec-WebSocket-Key: ${key}`, `Origin: ${origin}`];
  return `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n${[...headers, ...own].join("\r\n")}\r\n\r\n`;
}

/** Sends chunks of a body until the server closes the connection, or `maxBytes` are on their way. */
async function sendUntilClosed(socket: TcpSocket, maxBytes: number): Promise<number> {
  const data = "x".repeat(65_536);
  const chunk = `${data.length.toString(16)}\r\n${data}\r\n`;
  while (!socket.destroyed && socket.bytesWritten < maxBytes) {
    if (socket.write(chunk)) continue;
    await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => {});
  }
  return socket.bytesWritten;
}
