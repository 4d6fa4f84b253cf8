import { once } from "node:events";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RedisConnection } from "../src/redis.ts";
import { type RedisServer, startRedis } from "./helpers/redis-server.ts";
import { describeWith } from "./helpers/requirements.ts";

describe("RedisConnection", () => {
  test.each(["http://:s3cret@host", "s3cret", "redis//s3cret", "rediss"])(
    "refuses %s and does not repeat it",
    (url) => {
      const create = () => new RedisConnection({ url, name: "test" });

      expect(create).toThrow(expect.objectContaining({ code: "ALLCORES_ERR_INVALID_OPTION" }));
      expect(create).not.toThrow("s3cret");
    },
  );

  test.each([
    ["redis://user:s3cret@cache.example:7000/2", "cache.example:7000"],
    ["rediss://[::1]", "[::1]:6379"],
  ])("knows the address of %s without the password", (url, address) => {
    expect(new RedisConnection({ url, name: "test" }).address).toBe(address);
  });

  test("rejects at once what is sent while it is not connected", async () => {
    const connection = new RedisConnection({ url: "redis://127.0.0.1:1", name: "test" });

    await expect(connection.publish("channel", Buffer.alloc(1))).rejects.toMatchObject({
      code: "ALLCORES_ERR_REDIS",
      message: "Redis at 127.0.0.1:1: not connected.",
    });
  });
});

describeWith("redis-server", "RedisConnection to a server", () => {
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await startRedis(["--requirepass", "right"]);
  });

  afterAll(() => redis.kill());

  const connectWith = (password: string): RedisConnection => {
    const url = redis.url.replace("//", `//:${password}@`);
    const connection = new RedisConnection({ url, name: "test" });
    connection.connect();
    return connection;
  };

  test("carries bytes as they are, by channel and by pattern", async () => {
    const [sender, receiver] = [connectWith("right"), connectWith("right")];
    await Promise.all([once(sender, "ready"), once(receiver, "ready")]);
    await Promise.all([receiver.subscribe(["a"]), receiver.subscribePattern("b*")]);
    const body = Buffer.from([0, 128, 255, 10]);

    const received = Promise.all([once(receiver, "message"), once(receiver, "patternMessage")]);
    await Promise.all([sender.publish("a", body), sender.publish("bc", body)]);
    const counted = await Promise.all([sender.countSubscribers("a"), sender.countSubscribers("bc")]);

    expect(await received).toEqual([
      ["a", body],
      ["b*", "bc", body],
    ]);
    expect(counted).toEqual([1, 0]);
    for (const connection of [sender, receiver]) connection.close();
  });

  // ioredis leaves the arguments of the failed command on its errors, and HELLO has the password among them.
  test("an error of a failed login has the password nowhere", async () => {
    const connection = connectWith("wr0ng-s3cret");

    const [error] = await once(connection, "down");
    connection.close();

    expect(error).toMatchObject({ code: "ALLCORES_ERR_REDIS", message: expect.stringContaining("WRONGPASS") });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("wr0ng-s3cret");
  });

  test("what waits for an answer is rejected when it is closed", async () => {
    const connection = connectWith("right");
    await once(connection, "ready");

    redis.freeze();
    const waiting = connection.publish("channel", Buffer.alloc(1));
    connection.close();
    const failure = await waiting.catch((error: unknown) => error);
    redis.thaw();

    expect(failure).toMatchObject({ code: "ALLCORES_ERR_REDIS" });
  });
});
