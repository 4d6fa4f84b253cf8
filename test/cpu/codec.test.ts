import { describe, expect, test } from "vitest";
import { decodeValue, encodeValue } from "../../src/cpu/codec.ts";

const clone = (value: unknown): unknown => decodeValue(encodeValue(value, 1_000_000, "It"));

describe("encodeValue and decodeValue", () => {
  test.each([
    ["undefined", undefined],
    ["a Map in a Set", new Set([new Map([["a", { b: 1n }]])])],
    ["a Date", new Date(0)],
    ["a Buffer", Buffer.from("bytes")],
    ["typed arrays of every alignment", { odd: new Uint8Array([1]), even: new Float64Array([0.5, 2]) }],
    ["an ArrayBuffer", new Uint8Array([1, 2]).buffer],
  ])("give back %s", (_what, value) => {
    const copy = clone(value);

    expect(copy).toEqual(value);
  });

  test("give a view memory of its own, without its neighbours' bytes", () => {
    const { bytes, view } = clone({ bytes: Buffer.from("abc"), view: new DataView(new ArrayBuffer(4)) }) as {
      bytes: Buffer;
      view: DataView;
    };

    expect([bytes.buffer.byteLength, view.buffer.byteLength]).toEqual([3, 4]);
    expect(Buffer.isBuffer(bytes)).toBe(true);
  });

  test("keep references within one value", () => {
    const loop: { self?: unknown } = {};
    loop.self = loop;

    const copy = clone(loop) as { self?: unknown };

    expect(copy.self).toBe(copy);
  });

  test.each([
    ["a function", () => {}],
    ["a symbol", Symbol("s")],
    ["shared memory", new SharedArrayBuffer(1)],
    ["nesting without end", Array.from({ length: 1e5 }).reduce((inner) => [inner], [] as unknown)],
  ])("refuse %s with a coded error", (_what, value) => {
    expect(() => clone(value)).toThrow(expect.objectContaining({ code: "ALLCORES_ERR_TASK_PAYLOAD" }));
  });

  test("refuse what needs more bytes than allowed, naming the option", () => {
    const encode = () => encodeValue("x".repeat(100), 99, 'The payload of task "a"');

    expect(encode).toThrow(/^The payload of task "a" has \d+ bytes, more than cpu\.maxPayloadBytes \(99\)\.$/);
  });
});
