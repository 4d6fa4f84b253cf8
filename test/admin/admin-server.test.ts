import { once } from "node:events";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import { AdminServer } from "../../src/admin/admin-server.ts";
import { createLogger } from "../../src/lib/logger.ts";
import { resolveOptions } from "../../src/options/resolve.ts";
import type { BoxStatus } from "../../src/primary/status.ts";
import { boxStatus } from "./box-status.ts";

const log = createLogger({ level: "silent" });

let server: AdminServer;
let status: BoxStatus;
let metricsText: () => Promise<string>;

afterEach(() => server.close());

async function start(flags: Record<string, string> = {}, env: NodeJS.ProcessEnv = {}): Promise<void> {
  status = boxStatus();
  metricsText = () => Promise.resolve("# HELP up Up.\n# TYPE up gauge\nup 1\n");
  const { options } = resolveOptions({ flags: { "admin-port": "0", ...flags }, env });
  server = new AdminServer({ options, log, status: () => status, metricsText: () => metricsText() });
  await server.start();
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** `fetch` would not let a test choose the Host header. */
async function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  const req = request(new URL(path, server.url), { headers, method, agent: false });
  req.end();
  const [res] = await once(req, "response");
  return { status: res.statusCode, headers: res.headers, body: await text(res) };
}

/** What comes back for raw bytes, until the other end closes. */
async function say(bytes: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("error", () => {});
  socket.write(bytes);
  return text(socket).catch(() => "");
}

describe("AdminServer", () => {
  test("answers /healthz for as long as the process runs, ready or not", async () => {
    await start();
    status = boxStatus({ state: "draining" });

    const answer = await ask("/healthz");

    expect(answer).toMatchObject({ status: 200, body: '{"alive":true}\n' });
  });

  test.each([
    ["running", 200],
    ["starting", 503],
    ["draining", 503],
  ] as const)("answers /readyz of a box that is %s with %i, and says why", async (state, code) => {
    await start();
    status = boxStatus({ state });

    const answer = await ask("/readyz");

    expect(answer.status).toBe(code);
    expect(JSON.parse(answer.body)).toMatchObject({ state, ready: code === 200, workers: { ready: 2, total: 2 } });
    expect(answer.headers["retry-after"]).toBe(code === 200 ? undefined : "1");
  });

  test("answers /api/status with the status as it is at that moment", async () => {
    await start();
    status = boxStatus({ presence: { members: 99, rooms: 1 } });

    const answer = await ask("/api/status?x=1");

    expect(JSON.parse(answer.body)).toEqual(status);
  });

  test("answers /metrics in the text format of Prometheus", async () => {
    await start();

    const answer = await ask("/metrics");

    expect(answer).toMatchObject({ status: 200, body: expect.stringContaining("up 1\n") });
    expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  });

  test("a page that cannot be made is a 500 that gives nothing away, and the next one is made again", async () => {
    await start();
    metricsText = () => Promise.reject(new Error("secret detail"));

    const failed = await ask("/metrics");
    metricsText = () => Promise.resolve("up 1\n");
    const next = await ask("/metrics");

    expect(failed.status).toBe(500);
    expect(failed.body).not.toContain("secret detail");
    expect(next.status).toBe(200);
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS"])("refuses %s: HTTP controls nothing", async (method) => {
    await start();

    const answer = await ask("/api/status", {}, method);

    expect(answer).toMatchObject({ status: 405, headers: { allow: "GET, HEAD", connection: "close" } });
  });

  test("answers HEAD with the head of GET", async () => {
    await start();

    const [head, get] = [await ask("/readyz", {}, "HEAD"), await ask("/readyz")];

    expect(head).toMatchObject({ status: 200, body: "" });
    expect(head.headers["content-length"]).toBe(get.headers["content-length"]);
  });

  test.each(["/nothing", "/index.html", "/../package.json", "/%2e%2e/package.json", "/metrics/", "//evil.example/"])(
    "answers %s with a 404 in JSON",
    async (path) => {
      await start();

      const answer = await say(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);

      expect(answer).toMatch(/^HTTP\/1.1 404 /);
      expect(answer).toContain('{"error":{"status":404');
    },
  );

  test("refuses a name that was rebound to the loopback address", async () => {
    await start();

    const answer = await ask("/api/status", { host: "evil.example" });

    expect(answer.status).toBe(421);
    expect(answer.body).not.toContain("workers");
  });

  test.each(["/", "/metrics", "/readyz", "/api/status", "/nothing"])("asks for the token at %s", async (path) => {
    await start({}, { ALLCORES_ADMIN_TOKEN: "s3cret-token" });

    const without = await ask(path);
    const withToken = await ask(path, { authorization: "Bearer s3cret-token" });

    expect(without.status).toBe(401);
    expect(without.headers["www-authenticate"]).toContain("Bearer");
    expect(without.headers["www-authenticate"]).toContain('Basic realm="allcores"');
    expect(withToken.status).toBe(path === "/nothing" ? 404 : 200);
  });

  test("asks for no token at /healthz", async () => {
    await start({}, { ALLCORES_ADMIN_TOKEN: "s3cret-token" });

    const answer = await ask("/healthz");

    expect(answer.status).toBe(200);
  });

  test("lets the page load only its own files and nobody frame it", async () => {
    await start();

    const { headers, body } = await ask("/");

    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(headers["content-security-policy"]).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(body).not.toMatch(/https?:\/\/(?!www\.w3\.org)|<script>|<style|style=|onclick=/);
  });

  test.each([
    ["no HTTP", "\x16\x03\x01\x02\x00\x01\r\n\r\n"],
    ["a head without end", `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`],
    ["no Host", "GET / HTTP/1.1\r\n\r\n"],
    ["a CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ["an upgrade", "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"],
    ["two lengths", "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"],
  ])("closes a connection that says %s and goes on", async (_what, bytes) => {
    await start();

    const answer = await say(bytes);

    expect(answer).not.toMatch(/^HTTP\/1.1 2/);
    expect((await ask("/healthz")).status).toBe(200);
  });

  test("keeps the number of connections bounded", async () => {
    await start();
    const { hostname, port } = new URL(server.url);
    const sockets = Array.from({ length: 128 }, () => connect({ host: hostname, port: Number(port) }));
    await Promise.all(sockets.map((socket) => once(socket, "connect")));

    const refused = await say("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    for (const socket of sockets) socket.destroy();

    expect(refused).toBe("");
  });

  // `status` shows it while the box boots and while it ends.
  test("tells where it will be, is and was, never failing", async () => {
    const { options } = resolveOptions({ flags: { "admin-host": "::1", "admin-port": "9400" } });
    const idle = new AdminServer({ options, log, status: () => status, metricsText: () => metricsText() });
    await start();
    const running = server.url;
    await server.close();

    expect(idle.url).toBe("http://[::1]:9400");
    expect(running).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
    expect(server.url).toBe("http://127.0.0.1:0");
  });

  test("names the listener that is in its way", async () => {
    await start();
    const { port } = new URL(server.url);
    const { options } = resolveOptions({ flags: { "admin-port": port } });
    const second = new AdminServer({ options, log, status: () => status, metricsText: () => metricsText() });

    const started = second.start();

    await expect(started).rejects.toMatchObject({
      code: "ALLCORES_ERR_LISTEN",
      message: expect.stringContaining("--admin-port"),
    });
  });
});
