// The router reads a head before the worker's parser does. Whatever that one takes for a request must be the same request
// to the router, or clients could be routed, counted or named by something that the worker never sees.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sessionIdIn } from "../../src/lib/request-target.ts";
import { type HeadProgress, HeadReader } from "../../src/primary/head-reader.ts";
import { headersOf } from "../../src/primary/request-head.ts";
import { parseRequestLine } from "../../src/primary/request-line.ts";
import { nodeReads } from "../helpers/node-reads.ts";

const MAX_BYTES = 16_384;
const SECOND = "GET /second HTTP/1.1\r\nHost: box\r\n\r\n";

interface Reading {
  readonly progress: HeadProgress;
  /** Where the head ends, or is known to be none. */
  readonly at: number;
}

function readHead(bytes: Buffer, chunkBytes: number): Reading {
  const reader = new HeadReader(MAX_BYTES);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const progress = reader.push(bytes.subarray(at, at + chunkBytes));
    if (progress !== "more") return { progress, at: Math.min(at + chunkBytes, bytes.length) };
  }
  return { progress: "more", at: bytes.length };
}

/** Fails when the router reads the bytes otherwise than Node. Returns whether both took them for a request. */
async function compare(bytes: Buffer): Promise<boolean> {
  const { progress, at } = readHead(bytes, 1);
  const line = progress === "complete" ? parseRequestLine(bytes) : undefined;
  const [request, next] = await nodeReads(Buffer.concat([bytes, Buffer.from(SECOND)]));
  if (request === undefined || line === undefined) return false;

  expect(line).toEqual({ method: request.method, target: request.url });
  expect(headersOf(bytes)["x-forwarded-for"]).toBe(request.headers["x-forwarded-for"]);
  expect(sessionIdIn(line.target)).toBe(sessionIdIn(request.url));
  // Without a body the next request begins where the head ends, for both.
  const hasBody = "content-length" in request.headers || "transfer-encoding" in request.headers;
  if (!hasBody && next?.url === "/second") expect(bytes.toString("latin1", at)).toMatch(/^[\r\n]*$/);
  return true;
}

const method = fc.constantFrom("GET", "POST", "OPTIONS", "PUT", "DELETE", "HEAD", "M-SEARCH");
const target = fc.oneof(
  fc.constantFrom("/", "/socket.io/?EIO=4&transport=polling", "http://box/chat?room=1", "/a#b", "/?sid=x&sid=y"),
  fc.stringMatching(/^\/[a-z0-9%?&=.~_-]{0,60}$/),
);
const name = fc.oneof(
  fc.constantFrom("Host", "X-Forwarded-For", "x-forwarded-for", "X-FORWARDED-FOR", "Cookie", "Accept", "__proto__"),
  fc
    .stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,30}$/)
    .filter((text) => !/^(content|transfer|connection|upgrade|expect)/i.test(text)),
);
const value = fc.oneof(
  fc.constantFrom("1.1.1.1", "", "\t x \t", "a, b", "\xa01.1.1.1\xa0", "é", "x".repeat(3000)),
  fc.stringMatching(/^[\x20-\x7e]{0,40}$/),
);
const header = fc.tuple(name, fc.constantFrom(":", ": ", ":\t", ":  "), value).map((parts) => parts.join(""));
const head = fc
  .tuple(
    fc.constantFrom("", "\r\n"),
    method,
    target,
    fc.constantFrom("1.0", "1.1"),
    fc.array(header, { maxLength: 12 }),
  )
  .map(([before, verb, what, version, headers]) =>
    [`${before}${verb} ${what} HTTP/${version}`, "Host: box", ...headers, "", ""].join("\r\n"),
  )
  .map((text) => Buffer.from(text, "latin1"))
  .filter(({ length }) => length < MAX_BYTES);

describe("the router's parsers and Node's", () => {
  test("read every well-formed head alike", async () => {
    await fc.assert(
      fc.asyncProperty(head, async (bytes) => {
        expect(await compare(bytes)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test("read every broken head alike, if both take it for one", async () => {
    const damage = fc.record({
      at: fc.nat(),
      remove: fc.nat({ max: 3 }),
      insert: fc.constantFrom("", " ", "\t", "\r", "\n", "\r\n", "\r\n ", ":", "\0", "\x7f", "\xff", "#", "?sid=", "%"),
    });
    await fc.assert(
      fc.asyncProperty(head, fc.array(damage, { minLength: 1, maxLength: 3 }), async (bytes, damages) => {
        await compare(
          damages.reduce((all, { at, remove, insert }) => {
            const position = at % (all.length + 1);
            return Buffer.concat([
              all.subarray(0, position),
              Buffer.from(insert, "latin1"),
              all.subarray(position + remove),
            ]);
          }, bytes),
        );
      }),
      { numRuns: 3000 },
    );
  });

  test("do not depend on where the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.oneof(head, fc.uint8Array({ maxLength: 300 })),
        fc.integer({ min: 1, max: 50 }),
        (raw, chunkBytes) => {
          const bytes = Buffer.from(raw);

          expect(readHead(bytes, chunkBytes).progress).toBe(readHead(bytes, 1).progress);
        },
      ),
    );
  });

  test.each([
    ["a continued header line", "GET / HTTP/1.1\r\nHost: b\r\nX-Forwarded-For: 1.1.1.1,\r\n 2.2.2.2\r\n\r\n"],
    ["white space before the colon", "GET / HTTP/1.1\r\nHost: b\r\nX-Forwarded-For : 1.1.1.1\r\n\r\n"],
    ["white space before the first header", "GET / HTTP/1.1\r\n X-Forwarded-For: 1.1.1.1\r\n\r\n"],
    ["a bare line feed", "GET / HTTP/1.1\r\nHost: b\nX-Forwarded-For: 1.1.1.1\r\n\r\n"],
    ["a bare carriage return", "GET / HTTP/1.1\r\nHost: b\rX-Forwarded-For: 1.1.1.1\r\n\r\n"],
    ["a zero in a value", "GET / HTTP/1.1\r\nHost: b\r\nX: \0\r\n\r\n"],
    ["a length and chunks", "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ["two lengths", "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"],
    ["a signed length", "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: +5\r\n\r\n"],
    ["a target that begins with no slash", "GET socket.io/ HTTP/1.1\r\nHost: b\r\n\r\n"],
    ["a method in small letters", "get / HTTP/1.1\r\nHost: b\r\n\r\n"],
  ])("refuse %s, one of them at least", async (_what, text) => {
    expect(await compare(Buffer.from(text, "latin1"))).toBe(false);
  });

  // JavaScript takes it for white space, HTTP does not.
  test("keep a no-break space around a value", async () => {
    expect(await compare(Buffer.from("GET / HTTP/1.1\r\nX-Forwarded-For: \xa01.1.1.1\r\n\r\n", "latin1"))).toBe(true);
  });

  // Node forgot those behind the two thousandth, and who the client was.
  test("see a header behind three thousand others", async () => {
    const headers = "a:\r\n".repeat(3000);

    expect(await compare(Buffer.from(`GET / HTTP/1.1\r\n${headers}X-Forwarded-For: 1.1.1.1\r\n\r\n`))).toBe(true);
  });
});
