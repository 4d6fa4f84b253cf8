// Serves the files of one folder, and nothing else: they are read once, at start, and a request only picks one by name.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname } from "node:path";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Own scripts and styles, connections to the own origin, and HTML only through the one policy of `trusted-html.ts`. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types rendered-markdown",
].join("; ");

const SECURITY_HEADERS = {
  "Content-Security-Policy": CONTENT_SECURITY_POLICY,
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

interface StaticFile {
  readonly body: Buffer;
  readonly etag: string;
  readonly type: string;
}

/** A handler for the folder's files; `/` is `index.html`. Files of an unknown type are left out. */
export function serveFolder(folder: URL): (req: IncomingMessage, res: ServerResponse) => void {
  const files = readFolder(folder);
  return (req, res) => {
    if (req.method !== "GET" && req.method !== "HEAD") {
      answerText(req, res, 405, "Only GET and HEAD are served here.", { Allow: "GET, HEAD" });
      return;
    }
    const file = files.get(pathOf(req));
    if (file === undefined) answerText(req, res, 404, "There is no such page.");
    else answerFile(req, res, file);
  };
}

function readFolder(folder: URL): Map<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  for (const name of readdirSync(folder)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const body = readFileSync(new URL(name, folder));
    const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
    files.set(`/${name}`, { body, etag, type });
  }
  const index = files.get("/index.html");
  if (index !== undefined) files.set("/", index);
  return files;
}

/** Names do not change with their content, so a browser asks each time and is mostly told "as before". */
function answerFile(req: IncomingMessage, res: ServerResponse, { body, etag, type }: StaticFile): void {
  const headers = { ...SECURITY_HEADERS, "Cache-Control": "no-cache", ETag: etag };
  if (isKnown(req.headers["if-none-match"], etag)) {
    res.writeHead(304, headers).end();
    return;
  }
  res.writeHead(200, { ...headers, "Content-Type": type, "Content-Length": body.length });
  res.end(req.method === "HEAD" ? undefined : body);
}

function answerText(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  const body = `${text}\n`;
  res.writeHead(status, {
    ...SECURITY_HEADERS,
    ...headers,
    "Cache-Control": "no-store",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": Buffer.byteLength(body),
  });
  res.end(req.method === "HEAD" ? undefined : body);
}

/** RFC 9110, 13.1.2: a list of tags, weak ones compared by their value, or `*`. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}

function pathOf(req: IncomingMessage): string {
  const [path = "/"] = (req.url ?? "/").split(/[?#]/, 1);
  return path;
}
