// Clients that are slow, silent or half gone, and workers that die under a request: an answer or a clean close, in time,
// and a box that serves on.

import { once } from "node:events";
import type { Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startBox, type TestBox } from "../helpers/box.ts";
import { connectClient, openSocket, rawRequest, readToEnd } from "../helpers/clients.ts";
import { until } from "../helpers/until.ts";

const HEAD_TIMEOUT_MS = 2500;
const GET = "GET /any HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n";
const POST = "POST /any HTTP/1.1\r\nHost: box\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n";

describe("a box of 2 workers", () => {
  let box: TestBox;
  beforeAll(async () => {
    box = await startBox({
      app: "short-timeouts.mjs",
      env: { ALLCORES_ROUTER_HEAD_TIMEOUT_MS: String(HEAD_TIMEOUT_MS) },
    });
  });
  // The primary and its workers live, and serve.
  afterEach(async () => {
    expect(await rawRequest(box.url, [GET])).toMatch(/^HTTP\/1\.1 200 /);
    expect((await box.status()).workers.map(({ state }) => state)).toEqual(["ready", "ready"]);
  });
  afterAll(() => box.stop());

  test.each([
    ["says nothing", ""],
    ["sends a byte of its head a second", GET.repeat(3)],
  ])("answers a client that %s with 408", async (_what, text) => {
    const socket = await openSocket(box.url);
    const answer = readToEnd(socket);

    const stop = sendSlowly(socket, text);

    expect(await answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*Connection: close/);
    stop();
  });

  // Node looks every 30 s for requests that take too long.
  test("closes on a client that sends a byte of its body a second", async () => {
    const socket = await openSocket(box.url);
    const answer = readToEnd(socket, 80_000);
    socket.write(POST);

    const stop = sendSlowly(socket, "x".repeat(1000));

    expect(await answer).toMatch(/^HTTP\/1\.1 200 /);
    stop();
  });

  test("closes on a client that closes before its request", async () => {
    const socket = await openSocket(box.url);
    const answer = readToEnd(socket);

    socket.end();

    expect(await answer).toBe("");
  });

  test("answers a client that closes its side right after the request", async () => {
    const socket = await openSocket(box.url);
    const answer = readToEnd(socket);

    socket.end(GET);

    expect(await answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("closes on a client that closes its side in the middle of a body", async () => {
    const socket = await openSocket(box.url);
    const answer = readToEnd(socket);

    socket.end(`${POST}some`);

    expect(await answer).not.toMatch(/HTTP[\s\S]*HTTP/);
  });

  test.each([
    ["before its request", ""],
    ["in the middle of its head", GET.slice(0, 20)],
    ["right after its request", GET],
    ["in the middle of its body", `${POST}some`],
  ])("outlives five hundred clients that reset %s", async (_when, text) => {
    for (let round = 0; round < 5; round++) {
      const sockets = await Promise.all(Array.from({ length: 100 }, () => openSocket(box.url)));

      for (const socket of sockets) {
        socket.on("error", () => {});
        if (text === "") socket.resetAndDestroy();
        else socket.write(text, () => socket.resetAndDestroy());
      }
    }

    await until("all are forgotten", async () => (await routerWaiting(box)) === 0);
  });
});

describe("a worker that is killed in the middle of a body", () => {
  // What came behind was taken for a request of its own by the template's primary.
  const smuggled = "GET /smuggled HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n";
  let box: TestBox;
  beforeAll(async () => {
    box = await startBox({ app: "short-timeouts.mjs" });
  });
  afterAll(() => box.stop());

  test.each(["head", "body"])(
    "closes its connections after the %s, and nobody reads the rest as a request",
    async (part) => {
      const { workers } = await box.status();
      const sockets = await Promise.all(Array.from({ length: 20 }, () => openSocket(box.url)));
      const answers = sockets.map(readUntilClose);
      for (const socket of sockets) socket.write(part === "head" ? POST : `${POST}some`);
      // A worker answers with its head as soon as it has the connection.
      await Promise.all(answers.map(({ hasBegun }) => hasBegun));

      for (const { pid } of workers) process.kill(pid ?? 0, "SIGKILL");
      for (const socket of sockets) socket.write(smuggled);

      const texts = await Promise.all(answers.map(({ text }) => text));
      expect(texts.filter((text) => /smuggled|HTTP[\s\S]*HTTP/.test(text))).toEqual([]);
      const { welcome } = await connectAndLeave(box.url);
      expect(workers.map(({ pid }) => pid)).not.toContain(welcome.pid);
    },
  );

  test("leaves no client without an answer or a close, whenever it dies", async () => {
    const outcomes: string[] = [];

    for (let round = 0; round < 4; round++) {
      const [first, second] = (await box.status()).workers;
      const requests = Array.from({ length: 60 }, (_, i) =>
        rawRequest(box.url, [POST.slice(0, i), POST.slice(i), "x".repeat(100_000)]),
      );
      process.kill((round % 2 === 0 ? first : second)?.pid ?? 0, "SIGKILL");
      outcomes.push(...(await Promise.all(requests)));
      await until("both are back", async () => (await box.status()).workers.every(({ state }) => state === "ready"));
    }

    expect(outcomes.filter((answer) => answer !== "" && !/^HTTP\/1\.1 (200|503) /.test(answer))).toEqual([]);
  });
});

/** A byte a second, until told to stop. */
function sendSlowly(socket: Socket, text: string): () => void {
  let at = 0;
  const timer = setInterval(() => {
    if (at < text.length && socket.writable) socket.write(text.charAt(at++));
  }, 1000);
  return () => clearInterval(timer);
}

function readUntilClose(socket: Socket): { hasBegun: Promise<unknown>; text: Promise<string> } {
  return { hasBegun: once(socket, "data"), text: readToEnd(socket) };
}

async function connectAndLeave(url: string): Promise<{ welcome: { pid: number } }> {
  const { socket, welcome } = await connectClient<{ pid: number }>(url);
  socket.disconnect();
  return { welcome };
}

async function routerWaiting(box: TestBox): Promise<number> {
  const text = await (await fetch(`${box.adminUrl}/metrics`)).text();
  return Number(/^allcores_router_waiting\S* (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
}
