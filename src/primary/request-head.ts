// Reads a whole request head for the app's `affinity`. It judges nothing: the worker's parser does, on the same bytes.

import type { RequestHead } from "../lib/app-module.ts";
import { pathOf, queryOf } from "../lib/request-target.ts";
import type { RequestLine } from "./request-line.ts";

/** `bytes` begin with a complete head, whose first line is `line`; what comes behind the head is not looked at. */
export function parseRequestHead(bytes: Buffer, line: RequestLine, remoteAddress: string): RequestHead {
  const { method, target } = line;
  return { method, path: pathOf(target), query: queryOf(target), headers: headersOf(bytes), remoteAddress };
}

/** The headers of a complete head, by lower-case name. */
export function headersOf(bytes: Buffer): Record<string, string> {
  // Without a prototype: a header may be called `constructor` or `__proto__`.
  const headers: Record<string, string> = Object.create(null);
  const text = bytes.toString("latin1").replace(/^(?:\r\n)+/, "");
  const lines = text.slice(0, text.indexOf("\r\n\r\n")).split("\r\n").slice(1);
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}${name === "cookie" ? "; " : ", "}${value}`;
  }
  return headers;
}
