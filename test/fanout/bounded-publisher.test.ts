import { describe, expect, test } from "vitest";
import { BoundedPublisher } from "../../src/fanout/bounded-publisher.ts";
import { defer } from "../../src/lib/deadline.ts";
import type { RedisConnection } from "../../src/redis.ts";

const BODY = Buffer.alloc(1000);

/** A connection whose commands are answered when the test says so. */
function fakeConnection() {
  const waiting: ReturnType<typeof defer<unknown>>[] = [];
  const connection = {
    isReady: true,
    publish: () => {
      const answer = defer<unknown>();
      waiting.push(answer);
      return answer.promise;
    },
  };
  return { connection, waiting, asConnection: connection as unknown as RedisConnection };
}

const publishTo = (publisher: BoundedPublisher) => publisher.publish("c", BODY.length, () => BODY);
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("BoundedPublisher", () => {
  test("sends until the bytes that are not confirmed reach the limit, and again when they are", async () => {
    const { waiting, asConnection } = fakeConnection();
    const publisher = new BoundedPublisher(asConnection, 7000);

    const first = [1, 2, 3].map(() => publishTo(publisher));
    const queued = publisher.queuedBytes;
    for (const { resolve } of waiting) resolve(1);
    await settle();
    const later = publishTo(publisher);

    expect([...first, later]).toEqual(["sent", "sent", "full", "sent"]);
    expect(queued).toBeGreaterThan(2 * BODY.length);
    expect([publisher.published, publisher.dropped]).toEqual([2, 1]);
  });

  test("lets a single message above the limit go when nothing is waiting", () => {
    const { asConnection } = fakeConnection();
    const publisher = new BoundedPublisher(asConnection, 100);

    const outcomes = [publishTo(publisher), publishTo(publisher)];

    expect(outcomes).toEqual(["sent", "full"]);
  });

  test("drops while Redis is away", () => {
    const { connection, waiting, asConnection } = fakeConnection();
    connection.isReady = false;
    const publisher = new BoundedPublisher(asConnection, 7000);

    const outcome = publishTo(publisher);

    expect([outcome, waiting.length, publisher.dropped, publisher.queuedBytes]).toEqual(["away", 0, 1, 0]);
  });

  test("counts what is lost with the connection, and frees its bytes", async () => {
    const { waiting, asConnection } = fakeConnection();
    const publisher = new BoundedPublisher(asConnection, 7000);

    publishTo(publisher);
    waiting[0]?.reject(new Error("connection lost"));
    await settle();

    expect([publisher.published, publisher.dropped, publisher.queuedBytes]).toEqual([0, 1, 0]);
  });
});
