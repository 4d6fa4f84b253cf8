import { describe, expect, test } from "vitest";
import { readinessOf } from "../../src/admin/health.ts";
import { boxStatus, workerStatus } from "./box-status.ts";

describe("readinessOf", () => {
  test("a running box with a ready worker is ready", () => {
    const status = boxStatus({ workers: [workerStatus(0), workerStatus(1, { state: "gone" })] });

    expect(readinessOf(status)).toEqual({
      ready: true,
      state: "running",
      workers: { ready: 1, total: 2 },
      cpu: { state: "ready" },
      redis: null,
    });
  });

  test.each([
    ["starting", "The box is starting."],
    ["draining", "The box is draining."],
  ] as const)("a box that is %s is not, whatever its workers are", (state, reason) => {
    expect(readinessOf(boxStatus({ state }))).toMatchObject({ ready: false, reason, state });
  });

  test("a running box whose workers are all gone is not", () => {
    const status = boxStatus({ workers: [workerStatus(0, { state: "gone" })] });

    expect(readinessOf(status)).toMatchObject({ ready: false, reason: "No worker is ready." });
  });

  test("Redis and the cpu process being away is told, and the box stays ready for its own clients", () => {
    const redis = { state: "down", detail: "Since 12:00: connection refused." } as const;
    const cpu = { pid: null, state: "gone", queued: 0, running: 0, threads: 2 } as const;

    expect(readinessOf(boxStatus({ redis, cpu }))).toMatchObject({ ready: true, redis, cpu: { state: "gone" } });
  });
});
