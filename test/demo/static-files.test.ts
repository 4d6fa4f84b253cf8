import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serveFolder } from "../../src/demo/static-files.ts";

const parent = mkdtempSync(join(tmpdir(), "allcores-static-"));
const server = createServer();
let url: string;

beforeAll(async () => {
  writeFileSync(join(parent, "secret.html"), "not for you");
  const folder = mkdtempSync(join(parent, "page-"));
  writeFileSync(join(folder, "index.html"), "<h1>hello</h1>");
  writeFileSync(join(folder, "main.js"), "run()");
  writeFileSync(join(folder, "notes.txt"), "of no known type");
  server.on("request", serveFolder(pathToFileURL(`${folder}/`)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
  rmSync(parent, { recursive: true });
});

/** A path that `fetch` would tidy up before it is sent. */
async function statusOfRawPath(path: string): Promise<string> {
  const socket = createConnection((server.address() as AddressInfo).port, "127.0.0.1");
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  return answer.slice(9, 12);
}

describe("serveFolder", () => {
  test.each([
    ["/", "text/html; charset=utf-8", "<h1>hello</h1>"],
    ["/index.html?room=lobby", "text/html; charset=utf-8", "<h1>hello</h1>"],
    ["/main.js", "text/javascript; charset=utf-8", "run()"],
  ])("serves %s as %s", async (path, type, body) => {
    const response = await fetch(url + path);

    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(type);
    expect(await response.text()).toBe(body);
  });

  test("answers HEAD with the same headers and no body", async () => {
    const response = await fetch(`${url}/main.js`, { method: "HEAD" });

    expect(response.headers.get("content-length")).toBe("5");
    expect(await response.text()).toBe("");
  });

  test("says `not modified` to a browser that has the file", async () => {
    const etag = (await fetch(url)).headers.get("etag") ?? "";

    const statuses = await Promise.all(
      [etag, `W/${etag}`, `"other", ${etag}`, "*", '"other"'].map(
        async (tag) => (await fetch(url, { headers: { "If-None-Match": tag } })).status,
      ),
    );

    expect(statuses).toEqual([304, 304, 304, 304, 200]);
  });

  test("runs no script but its own, shows no frame, and lets no HTML in but through the renderer's policy", async () => {
    const policy = (await fetch(url)).headers.get("content-security-policy") ?? "";

    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toMatch(/unsafe|\*|data:|https?:/);
  });

  test.each([
    "/nothing",
    "/notes.txt",
    "/../secret.html",
    "/%2e%2e/secret.html",
    "/..%2fsecret.html",
    "//secret.html",
    "/.",
  ])("has no %s", async (path) => {
    expect(await statusOfRawPath(path)).toBe("404");
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS"])("answers %s with 405 and what would work", async (method) => {
    const response = await fetch(url, { method });

    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
  });
});
