import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sessionIdGenerator } from "../../src/lib/session-id.ts";
import { parseRequestLine, sessionWorkerOf } from "../../src/primary/request-line.ts";

const head = (line: string) => Buffer.from(`${line}\r\nHost: box\r\n\r\n`, "latin1");

describe("parseRequestLine", () => {
  test.each([
    ["GET / HTTP/1.1", "GET", "/"],
    ["POST /socket.io/?EIO=4&sid=abc HTTP/1.0", "POST", "/socket.io/?EIO=4&sid=abc"],
    ["GET http://box/chat HTTP/1.1", "GET", "http://box/chat"],
    ["OPTIONS * HTTP/1.1", "OPTIONS", "*"],
    ["M-SEARCH /\xe9 HTTP/1.1", "M-SEARCH", "/\xe9"],
  ])("reads %s", (line, method, target) => {
    expect(parseRequestLine(head(line))).toEqual({ method, target });
  });

  test.each([
    "GET / HTTP/2.0",
    "PRI * HTTP/2.0",
    "GET /",
    "GET  / HTTP/1.1",
    "GET / /x HTTP/1.1",
    "GET /\x7f HTTP/1.1",
    "G(T / HTTP/1.1",
    " GET / HTTP/1.1",
  ])("refuses %j", (line) => {
    expect(parseRequestLine(head(line))).toBeUndefined();
  });

  test("never throws, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        parseRequestLine(Buffer.from(bytes));
      }),
    );
  });
});

describe("sessionWorkerOf", () => {
  test("finds the worker in a session id, percent-encoded or not", () => {
    const id = sessionIdGenerator({ slot: 5, incarnation: 63 })();
    const encoded = [...id].map((c) => `%${c.charCodeAt(0).toString(16)}`).join("");

    expect(sessionWorkerOf(`/socket.io/?EIO=4&transport=polling&sid=${id}`)).toEqual({ slot: 5, incarnation: 63 });
    expect(sessionWorkerOf(`/socket.io/?sid=${encoded}&t=x`)).toEqual({ slot: 5, incarnation: 63 });
  });

  test.each(["/", "/?sid=", "/?sid=tooshort", "/?sid=%", "/?sid=******************!*", "/sid=abc", "*"])(
    "finds none in %s",
    (target) => {
      expect(sessionWorkerOf(target)).toBeUndefined();
    },
  );
});
