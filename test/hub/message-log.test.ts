import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lastAtMost, MessageLog } from "../../src/hub/message-log.ts";

const MEGABYTE = 1_048_576;

describe("MessageLog", () => {
  test("gives back what it kept, by sequence, however large", () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 200 });

    fc.assert(
      fc.property(sizes, (bytes) => {
        const log = new MessageLog({ maxBytes: 64 * MEGABYTE, windowMs: 1000 });
        for (const [i, size] of bytes.entries()) log.append(i * 3 + 1, Buffer.alloc(size, i), 0);

        for (const [i, size] of bytes.entries()) {
          expect(log.get(i * 3 + 1)).toEqual(Buffer.alloc(size, i));
          expect(log.get(i * 3 + 2)).toBeUndefined();
        }
      }),
      { numRuns: 30 },
    );
  });

  test("stays within its bytes by letting the oldest go, and says how far", () => {
    const log = new MessageLog({ maxBytes: 3 * MEGABYTE, windowMs: 1000 });

    for (let sequence = 1; sequence <= 100; sequence++) log.append(sequence, Buffer.alloc(100_000), 0);

    expect(log.bytes).toBeLessThanOrEqual(3 * MEGABYTE);
    expect(log.evictedTo).toBeGreaterThan(60);
    expect(log.get(log.evictedTo)).toBeUndefined();
    expect(log.get(log.evictedTo + 1)).toHaveLength(100_000);
    expect(log.get(100)).toHaveLength(100_000);
  });

  test("gives back what it kept in memory that older messages had before", () => {
    const log = new MessageLog({ maxBytes: 2 * MEGABYTE, windowMs: 1000 });

    for (let sequence = 1; sequence <= 1000; sequence++) log.append(sequence, Buffer.alloc(10_000, sequence), 0);

    expect(log.evictedTo).toBeGreaterThan(700);
    for (let sequence = log.evictedTo + 1; sequence <= 1000; sequence++) {
      expect(log.get(sequence)?.equals(Buffer.alloc(10_000, sequence))).toBe(true);
    }
  });

  test("lets go of what is older than its window, not of what is younger", () => {
    const log = new MessageLog({ maxBytes: 64 * MEGABYTE, windowMs: 1000 });
    log.append(1, Buffer.alloc(MEGABYTE), 0);
    log.append(2, Buffer.alloc(10), 900);

    log.evict(1000);

    expect(log.get(1)).toBeUndefined();
    expect(log.get(2)).toHaveLength(10);
    expect(log.evictedTo).toBe(1);
  });

  test("takes a message larger than a segment", () => {
    const log = new MessageLog({ maxBytes: 8 * MEGABYTE, windowMs: 1000 });

    log.append(1, Buffer.alloc(5 * MEGABYTE, 7), 0);

    expect(log.get(1)).toHaveLength(5 * MEGABYTE);
  });
});

describe("lastAtMost", () => {
  test("finds what a scan finds", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50)), fc.nat(60), (values, key) => {
        const items = [...values].sort((a, b) => a - b);

        expect(lastAtMost(items, key, (value) => value)).toBe(items.filter((value) => value <= key).length - 1);
      }),
    );
  });
});
