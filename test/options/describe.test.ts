import { describe, expect, test } from "vitest";
import { describeOptions } from "../../src/options/describe.ts";
import { resolveOptions } from "../../src/options/resolve.ts";

function describeOne(name: string, sources: Parameters<typeof resolveOptions>[0]) {
  return describeOptions(resolveOptions(sources)).find((option) => option.name === name);
}

describe("describeOptions", () => {
  test("names the value, where it came from, and its flag and variable", () => {
    const option = describeOne("cpu.maxQueue", { flags: { "cpu-max-queue": "5" } });

    expect(option).toMatchObject({
      value: 5,
      source: "flag",
      flag: "--cpu-max-queue",
      env: "ALLCORES_CPU_MAX_QUEUE",
    });
  });

  test("a secret is masked when it is set, and empty when it is not", () => {
    const secret = "0123456789abcdef0123456789abcdef";

    const all = JSON.stringify(describeOptions(resolveOptions({ env: { ALLCORES_AUTH_JWT_SECRET: secret } })));

    expect(all).not.toContain(secret);
    expect(describeOne("auth.jwtSecret", { env: { ALLCORES_AUTH_JWT_SECRET: secret } })?.value).toBe("***");
    expect(describeOne("auth.jwtSecret", {})?.value).toBe("");
  });

  test.each([
    ["redis://127.0.0.1:6379/2", "redis://127.0.0.1:6379/2"],
    ["rediss://ada:pa55@cache.example:6380/0?token=pa55", "rediss://***:***@cache.example:6380/0?***"],
    ["redis://:pa55@cache.example", "redis://:***@cache.example"],
  ])("of the Redis URL %s the place is shown and the secret is not", (REDIS_URL, shown) => {
    expect(describeOne("redisUrl", { env: { REDIS_URL } })?.value).toBe(shown);
  });
});
