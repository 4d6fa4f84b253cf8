// An answer of the admin listener as plain data, and how it is written.

import type { IncomingMessage, ServerResponse } from "node:http";

export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

/** The page may load its own files and ask its own listener, and nothing else. */
const HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
} as const;

export function jsonReply(status: number, value: unknown, headers: Reply["headers"] = {}): Reply {
  return { status, type: "application/json; charset=utf-8", body: `${JSON.stringify(value)}\n`, headers };
}

/** `message` says what is wrong and what to do. */
export function errorReply(status: number, message: string, headers: Reply["headers"] = {}): Reply {
  return jsonReply(status, { error: { status, message } }, headers);
}

/** HEAD gets the head of what GET would get. */
export function writeReply(req: IncomingMessage, res: ServerResponse, { status, type, body, headers }: Reply): void {
  res.writeHead(status, { ...HEADERS, "Content-Type": type, "Content-Length": Buffer.byteLength(body), ...headers });
  res.end(req.method === "HEAD" ? undefined : body);
}
