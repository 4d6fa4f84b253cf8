import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRequestHead } from "../../src/primary/request-head.ts";

const line = (target: string) => ({ method: "GET", target });
const parse = (text: string, target = "/") => parseRequestHead(Buffer.from(text, "latin1"), line(target), "192.0.2.1");

describe("parseRequestHead", () => {
  test("gives method, path, query, headers and the address", () => {
    const head = parse("GET /chat?room=a%20b HTTP/1.1\r\nHost: box\r\nX-Room:  blue \r\n\r\n", "/chat?room=a%20b");

    expect(head).toMatchObject({ method: "GET", path: "/chat", remoteAddress: "192.0.2.1" });
    expect(head.query.get("room")).toBe("a b");
    expect({ ...head.headers }).toEqual({ host: "box", "x-room": "blue" });
  });

  test.each([
    ["http://box/chat?x=1", "/chat"],
    ["http://box", ""],
    ["/a?b=http://c/d", "/a"],
    ["*", "*"],
  ])("finds the path of %s", (target, path) => {
    expect(parse("GET / HTTP/1.1\r\n\r\n", target).path).toBe(path);
  });

  test("joins a header that comes twice, cookies with a semicolon", () => {
    const { headers } = parse("GET / HTTP/1.1\r\nX: 1\r\nCookie: a=1\r\nx: 2\r\ncookie: b=2\r\n\r\n");

    expect({ ...headers }).toEqual({ x: "1, 2", cookie: "a=1; b=2" });
  });

  test("knows no headers but those of the client, whatever their names", () => {
    const { headers } = parse("GET / HTTP/1.1\r\n__proto__: x\r\n\r\nBehind: the head\r\n\r\n");

    expect(headers.constructor).toBeUndefined();
    expect(Object.keys(headers)).toEqual(["__proto__"]);
  });

  test("never throws, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (bytes, target) => {
        parseRequestHead(Buffer.from(bytes), line(target), "");
      }),
    );
  });
});
