// The way into a box, byte by byte: what is served, what is refused, and that nothing is left hanging.

import { once } from "node:events";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sessionIdGenerator } from "../../src/lib/session-id.ts";
import { startBox, type TestBox } from "../helpers/box.ts";
import { connectClient, newClient, openSocket, rawRequest, readToEnd } from "../helpers/clients.ts";
import { metricOf } from "../helpers/metrics.ts";
import { until } from "../helpers/until.ts";

const HANDSHAKE = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n";

describe("the router of a box of 4 workers", () => {
  let box: TestBox;

  beforeAll(async () => {
    box = await startBox({
      app: "echo-app.mjs",
      workers: 4,
      env: { ALLCORES_ROUTER_HEAD_TIMEOUT_MS: "1500" },
    });
  });
  afterAll(() => box.stop());

  test("serves a head that comes in two hundred segments", async () => {
    const padded = HANDSHAKE.replace("\r\n\r\n", `\r\nX-Padding: ${"x".repeat(400)}\r\n\r\n`);
    const size = Math.ceil(padded.length / 200);
    const segments = Array.from({ length: 200 }, (_, i) => padded.slice(i * size, (i + 1) * size)).filter(Boolean);

    const answer = await rawRequest(box.url, segments);

    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("sends a request whose session id is in the second segment to the session's worker", async () => {
    const handshake = await rawRequest(box.url, [HANDSHAKE]);
    const sid = /"sid":"([^"]+)"/.exec(handshake)?.[1] ?? "";
    const head = `POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: box\r\nConnection: close\r\nContent-Length: 2\r\n\r\n`;
    const cut = head.indexOf("sid=") + 2;

    const answer = await rawRequest(box.url, [head.slice(0, cut), head.slice(cut), "40"]);

    expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*ok$/);
  });

  test("answers the session id of a worker that is gone with Socket.IO's own error", async () => {
    const sid = sessionIdGenerator({ slot: 1, incarnation: 999 })();

    const answer = await rawRequest(box.url, [HANDSHAKE.replace("polling HTTP", `polling&sid=${sid} HTTP`)]);

    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*\{"code":1,"message":"Session ID unknown"\}/);
  });

  test.each([
    ["a TLS handshake", ["\x16\x03\x01\x02\x00"], 400],
    ["HTTP/2", ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], 400],
    ["a request line without a version", ["GET /\r\n\r\n"], 400],
    ["bare line feeds", ["GET / HTTP/1.1\nHost: box\n\n"], 400],
    ["a head over 16 KiB", [`GET / HTTP/1.1\r\nX: ${"x".repeat(16_384)}\r\n\r\n`], 431],
    ["a head that never ends", ["GET / HTTP/1.1\r\n", "X: y\r\n"], 408],
    ["silence", [], 408],
  ])("refuses %s and closes", async (_what, segments, status) => {
    const answer = await rawRequest(box.url, segments);

    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*Connection: close`));
  });

  test("closes a connection that ends before its head does", async () => {
    const socket = await openSocket(box.url);
    const answer = readToEnd(socket);

    socket.end("GET / HT");

    expect(await answer).toBe("");
  });

  test("answers a client that has shut its side down after the request", async () => {
    const socket = await openSocket(box.url);
    const answer = readToEnd(socket);

    socket.end("GET /half-open HTTP/1.1\r\nHost: box\r\n\r\n");

    expect(await answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*GET \/half-open 0/);
  });

  test.each([1, 1000, 1_000_000, 8_000_000])("passes a body of %i bytes to the app whole", async (bytes) => {
    const body = Buffer.alloc(bytes, "ü");

    const answer = await new Promise<string>((resolve, reject) => {
      const req = request(`${box.url}/upload`, { method: "POST", headers: { "Content-Length": bytes } }, (res) => {
        let text = "";
        res.on("data", (chunk) => {
          text += chunk;
        });
        res.on("end", () => resolve(text));
      });
      req.on("error", reject);
      req.end(body);
    });

    expect(answer).toBe(`POST /upload ${bytes}`);
  });

  test("spreads a burst of 500 connects evenly and serves them all", async () => {
    const perSlot = new Map<number, number>();

    const clients = await Promise.all(
      Array.from({ length: 500 }, () => connectClient<{ slot: number }>(box.url, { timeout: 60_000 })),
    );
    for (const { welcome } of clients) perSlot.set(welcome.slot, (perSlot.get(welcome.slot) ?? 0) + 1);
    for (const { socket } of clients) socket.disconnect();

    expect(clients).toHaveLength(500);
    expect(Math.max(...perSlot.values()) / (500 / 4)).toBeLessThanOrEqual(1.1);
  });
});

describe("a box without a ready worker", () => {
  test("serves a client that connected during boot", async () => {
    const box = await startBox({ app: "echo-app.mjs", workers: 1 });
    const { pid } = (await connectClient<{ pid: number }>(box.url)).welcome;
    process.kill(pid, "SIGKILL");

    const { welcome } = await connectClient<{ pid: number }>(box.url);

    expect(welcome.pid).not.toBe(pid);
    await box.stop();
  });

  test("answers 503 with Retry-After when none comes in time", async () => {
    const box = await startBox({
      app: "dies-when-told.mjs",
      workers: 1,
      env: { ALLCORES_ROUTER_WORKER_WAIT_MS: "200", ALLCORES_SUPERVISOR_MIN_RESTART_DELAY_MS: "10000" },
    });
    const doomed = newClient(box.url);
    doomed.on("connect", () => doomed.emit("die"));
    await once(doomed as unknown as NodeJS.EventEmitter, "disconnect");

    const [answer, answerToUpload] = await Promise.all([rawRequest(box.url, [HANDSHAKE]), upload(box.url)]);

    expect(answer).toMatch(/^HTTP\/1\.1 503 [\s\S]*Retry-After: \d+/);
    expect(answerToUpload).toMatch(/^HTTP\/1\.1 503 /);
    doomed.disconnect();
    await box.stop();
  });
});

describe("a worker that is slow to take its connections", () => {
  const WAIT_MS = 300;
  const REQUESTS = 40;
  let box: TestBox;

  beforeAll(async () => {
    box = await startBox({
      app: "echo-app.mjs",
      workers: 1,
      env: { ALLCORES_ROUTER_WORKER_WAIT_MS: String(WAIT_MS) },
    });
  });
  afterAll(() => box.stop());

  test("gets those that still wait; the others are answered 503, and nobody hangs", async () => {
    const { socket, welcome } = await connectClient<{ pid: number }>(box.url);
    const assigned = (): Promise<number> => metricOf(box, "allcores_router_assigned_total");
    const before = await assigned();
    process.kill(welcome.pid, "SIGSTOP");
    const answers = Array.from({ length: REQUESTS }, () =>
      rawRequest(box.url, ["GET / HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n"]),
    );
    await until("all are in line", async () => (await assigned()) === before + REQUESTS);
    const lateAt = performance.now() + WAIT_MS;
    await until("all have waited too long", () => performance.now() > lateAt);

    process.kill(welcome.pid, "SIGCONT");

    const statuses = (await Promise.all(answers)).map((answer) => answer.slice("HTTP/1.1 ".length, 12));
    // One that the worker has not acknowledged, and the two that Node has behind it.
    expect(statuses.toSorted()).toEqual([...Array(3).fill("200"), ...Array(REQUESTS - 3).fill("503")]);
    expect(await rawRequest(box.url, [HANDSHAKE])).toMatch(/^HTTP\/1\.1 200 /);
    socket.disconnect();
  });
});

/** The answer to a client that reads nothing before all it sends is on its way: more than the buffers of TCP take. */
async function upload(url: string): Promise<string> {
  const body = Buffer.alloc(32 * 1_048_576);
  const socket = await openSocket(url);
  socket.pause();
  const sent = new Promise<void>((resolve) => {
    socket.once("error", () => resolve());
    socket.write(`POST / HTTP/1.1\r\nHost: box\r\nContent-Length: ${body.length}\r\n\r\n`);
    socket.write(body, () => resolve());
  });
  await sent;
  const answer = readToEnd(socket);
  socket.resume();
  return answer;
}
