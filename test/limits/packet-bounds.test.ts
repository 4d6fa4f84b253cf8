import { describe, expect, test } from "vitest";
import { findEventFault, findExcess } from "../../src/limits/packet-bounds.ts";

const bounds = { maxDepth: 4, maxKeys: 20, maxNameLength: 8, maxAttachments: 2 };

describe("findExcess", () => {
  test.each([
    ["nothing", undefined],
    ["null", null],
    ["text", "x".repeat(10_000)],
    ["four levels in the arguments", ["event", [[[[1]]]]]],
    ["four levels of objects", ["event", { a: { b: { c: { d: 1 } } } }]],
    ["as many elements as are allowed", Array.from({ length: 20 }, () => 0)],
    ["two attachments", ["event", Buffer.from("a"), { b: new Uint8Array(1000) }]],
  ])("finds none in %s", (_what, payload) => {
    expect(findExcess(payload, bounds)).toBeUndefined();
  });

  test.each([
    ["five levels of arrays", ["event", [[[[[1]]]]]], "nested deeper than 4"],
    ["five levels of objects", ["event", { a: { b: { c: { d: { e: 1 } } } } }], "nested deeper than 4"],
    ["elements", Array.from({ length: 21 }, () => 0), "more than 20 elements and keys"],
    ["keys", [Object.fromEntries(Array.from({ length: 20 }, (_unused, key) => [key, 0]))], "more than 20 elements"],
    [
      "elements and keys of all levels",
      [
        [1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 2, 3, 4, 5, { a: 1, b: 2, c: 3, d: 4 }],
      ],
      "more than 20",
    ],
    ["three attachments", ["event", Buffer.from("a"), [Buffer.from("b")], new ArrayBuffer(1)], "more than 2 binary"],
    ["one attachment that is referred to three times", Array(3).fill(Buffer.alloc(1)), "more than 2"],
  ])("finds too many in %s", (_what, payload, excess) => {
    expect(findExcess(payload, bounds)).toContain(excess);
  });

  test("takes any depth without running out of stack", () => {
    let deep: unknown[] = [];
    for (let level = 0; level < 100_000; level++) deep = [deep];

    expect(findExcess(deep, bounds)).toContain("nested deeper");
  });

  test("does not count the bytes of an attachment as elements", () => {
    expect(findExcess(["event", Buffer.alloc(1_000_000)], bounds)).toBeUndefined();
  });
});

describe("findEventFault", () => {
  test.each([[["chat", 1]], [[1, 2]], [["12345678"]], [["toString"]]])("accepts %j", (event) => {
    expect(findEventFault(event, bounds)).toBeUndefined();
  });

  test.each(["error", "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"])(
    "refuses the reserved name %s",
    (name) => {
      expect(findEventFault([name], { ...bounds, maxNameLength: 256 })).toContain("reserved");
    },
  );

  // With a parser that lets it through, Node's emitter would call toString() on the object, outside of any handler.
  test.each([[[{}]], [[null]], [[]], [[["a"]]]])("refuses a name that is neither text nor a number: %j", (event) => {
    expect(findEventFault(event, bounds)).toContain("text or a number");
  });

  test("refuses a long name", () => {
    expect(findEventFault(["123456789"], bounds)).toContain("longer than 8 characters");
  });

  test("refuses what is no array", () => {
    expect(findEventFault({ 0: "chat" }, bounds)).toContain("array");
  });
});
