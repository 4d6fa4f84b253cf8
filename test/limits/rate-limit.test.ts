import { describe, expect, test } from "vitest";
import { KeyedBuckets, TokenBucket } from "../../src/limits/rate-limit.ts";

describe("TokenBucket", () => {
  test("gives its burst at once, then says how long to wait", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 3 }, 0);

    const waits = [1, 2, 3, 4].map(() => bucket.take(0));

    expect(waits).toEqual([0, 0, 0, 100]);
  });

  test("fills again at its rate, and no higher than its burst", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 2 }, 0);
    bucket.take(0);
    bucket.take(0);

    const afterOneToken = [bucket.take(100), bucket.take(100)];
    const afterALongTime = [bucket.take(60_000), bucket.take(60_000), bucket.take(60_000)];

    expect(afterOneToken).toEqual([0, 100]);
    expect(afterALongTime).toEqual([0, 0, 100]);
  });

  test("counts the part of a token that has come back", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 1 }, 0);
    bucket.take(0);

    expect(bucket.take(40)).toBe(60);
  });

  test("is no fuller when the clock goes back", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 1 }, 1000);
    bucket.take(1000);

    expect(bucket.take(0)).toBe(100);
  });

  test("never refuses when there is no limit", () => {
    const bucket = new TokenBucket({ perSecond: 0, burst: 1 }, 0);

    expect([bucket.take(0), bucket.take(0)]).toEqual([0, 0]);
  });
});

describe("KeyedBuckets", () => {
  test("keeps keys apart", () => {
    const buckets = new KeyedBuckets({ perSecond: 1, burst: 1 });

    const waits = [buckets.take("a", 0), buckets.take("a", 0), buckets.take("b", 0)];

    expect(waits).toEqual([0, 1000, 0]);
  });

  test("forgets full buckets when there are many, and never one that is in use", () => {
    const buckets = new KeyedBuckets({ perSecond: 1, burst: 1 });
    for (let key = 0; key < 1000; key++) buckets.take(String(key), 0);
    buckets.take("busy", 4500);

    buckets.take("one more", 5000);

    expect(buckets.size).toBe(2);
    expect(buckets.take("busy", 5000)).toBe(500);
  });
});
