import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sessionIdGenerator, workerOfSessionId } from "../../src/lib/session-id.ts";

describe("session ids", () => {
  test("name their worker and look like Engine.IO's own", () => {
    const names = fc.record({
      slot: fc.integer({ min: 0, max: 4095 }),
      incarnation: fc.integer({ min: 1, max: 64 ** 4 - 1 }),
    });

    fc.assert(
      fc.property(names, (name) => {
        const id = sessionIdGenerator(name)();

        expect(id).toMatch(/^[A-Za-z0-9_-]{20}$/);
        expect(workerOfSessionId(id)).toEqual(name);
      }),
    );
  });

  test("differ, since 84 of their bits are random", () => {
    const generate = sessionIdGenerator({ slot: 1, incarnation: 1 });

    const ids = new Set(Array.from({ length: 10_000 }, generate));

    expect(ids.size).toBe(10_000);
  });
});
