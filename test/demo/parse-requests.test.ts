import { describe, expect, test } from "vitest";
import { parseFractal, parseJoin, parseName, parseRoom, parseSend } from "../../src/demo/parse-requests.ts";

const key = "0123456789abcdef";

function refusedWith(code: string): unknown {
  return expect.objectContaining({ code });
}

describe("names", () => {
  test.each([
    ["Ada", "Ada"],
    ["  Ada   Lovelace ", "Ada Lovelace"],
    ["Bjørn", "Bjørn"],
    ["李小龙", "李小龙"],
    ["🦊", "🦊"],
    ["Ａｄａ", "Ada"],
    ["<script>", "<script>"],
  ])("%j is %j", (given, name) => {
    expect(parseName(given)).toBe(name);
  });

  test.each([
    ["nothing", ""],
    ["only spaces", "   "],
    ["a line break", "Ada\nBob"],
    ["a zero byte", "Ada\0"],
    ["a sign that turns the reading direction", "Ada\u202Ecod"],
    ["a sign that nobody sees", "A\u200Bda"],
    ["half of a character", "Ada\uD800"],
    ["too many characters", "x".repeat(33)],
    ["far too many", "x".repeat(1_000_000)],
    ["a number", 7],
    ["an object", { toString: () => "Ada" }],
  ])("%s is no name", (_what, given) => {
    expect(() => parseName(given)).toThrow(refusedWith("CHAT_ERR_NAME"));
  });
});

describe("rooms", () => {
  test.each([
    ["Lobby", "lobby"],
    ["main room", "main room"],
    ["dev_ops-2", "dev_ops-2"],
    ["ÄRGER", "ärger"],
  ])("%j is %j", (given, room) => {
    expect(parseRoom(given)).toBe(room);
  });

  test.each(["", "room:lobby", "a/b", "-", "a--b", "<b>", "x".repeat(41), undefined, []])("%j is no room", (given) => {
    expect(() => parseRoom(given)).toThrow(refusedWith("CHAT_ERR_ROOM"));
  });
});

describe("requests", () => {
  test("a token's subject is the name, whatever the request says", () => {
    const request = parseJoin({ room: "lobby", name: "", key }, "grace");

    expect(request).toEqual({ room: "lobby", name: "grace", key });
  });

  test("only what is known of a request is kept", () => {
    const request = parseSend({ id: "12345678", text: " hi ", html: "<script>", worker: 3 });

    expect(request).toEqual({ id: "12345678", text: "hi" });
  });

  test("halves of characters become the sign for what cannot be shown", () => {
    expect(parseSend({ id: "12345678", text: "a\uD800b" }).text).toBe("a\uFFFDb");
  });

  test.each(["", "short", "has space", "a".repeat(65), 12345678, null])("%j is no message id", (id) => {
    expect(() => parseSend({ id, text: "hi" })).toThrow(refusedWith("CHAT_ERR_REQUEST"));
  });
});

describe("/fractal", () => {
  test.each([
    ["/fractal", { x: -0.75, y: 0, zoom: 1 }],
    ["/FRACTAL  0.3   -0.5 ", { x: 0.3, y: -0.5, zoom: 1 }],
    ["/fractal -1.5 0 2e3", { x: -1.5, y: 0, zoom: 2000 }],
  ])("%j is a view", (text, view) => {
    expect(parseFractal(text)).toEqual(view);
  });

  test.each(["fractal", "see /fractal", "/fractals", "hello"])("%j is a text", (text) => {
    expect(parseFractal(text)).toBeUndefined();
  });

  test.each([
    "/fractal 1",
    "/fractal a b",
    "/fractal 4 0",
    "/fractal 0 0 0",
    "/fractal 0 0 1e13",
    "/fractal 0 0 NaN",
    "/fractal 1 2 3 4",
  ])("%j is refused", (text) => {
    expect(() => parseFractal(text)).toThrow(refusedWith("CHAT_ERR_FRACTAL"));
  });
});
