import { describe, expect, test } from "vitest";
import { packPayload, unpackPayload } from "../../src/socket-worker/payload.ts";

describe("packPayload", () => {
  test("carries what a structured clone carries", () => {
    const value = {
      at: new Date(0),
      big: 1n,
      bytes: Uint8Array.of(1),
      map: new Map([[1, new Set([2])]]),
      no: undefined,
    };

    expect(unpackPayload(packPayload(value))).toEqual(value);
  });

  // Apps keep timers and sockets in `socket.data`: JSON, which was tried next, threw at those, and the worker ended.
  test("leaves out what nothing can carry, and nothing else", () => {
    const timer = setTimeout(() => {}, 1000);
    const circle: Record<string, unknown> = { name: "circle", call: () => {} };
    circle.self = circle;
    const value = { name: "ada", at: new Date(0), big: 1n, timer, call: () => {}, list: [1, () => {}, 2n], circle };

    const carried = unpackPayload(packPayload(value));
    clearTimeout(timer);

    expect(carried).toEqual({ name: "ada", at: new Date(0), big: 1n, list: [1, null, 2n], circle: { name: "circle" } });
  });

  test("carries an object of a class that a clone refuses as JSON does", () => {
    class Price {
      readonly amount = 7;
      readonly format = (): string => `${this.amount}`;
    }

    expect(unpackPayload(packPayload({ price: new Price(), own: { toJSON: () => "own" } }))).toEqual({
      price: { amount: 7 },
      own: "own",
    });
  });
});
