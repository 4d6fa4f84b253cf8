import { describe, expect, test } from "vitest";
import { RestartPolicy } from "../../src/primary/restart-policy.ts";

describe("RestartPolicy", () => {
  test("doubles the wait for crashes in a row, up to the ceiling", () => {
    const policy = new RestartPolicy({ minDelayMs: 100, maxDelayMs: 350 });

    const delays = [1, 2, 3, 4].map(() => policy.delayAfterCrash(0));

    expect(delays).toEqual([100, 200, 350, 350]);
  });

  test("forgets the crashes of a process that has been stable since", () => {
    const policy = new RestartPolicy({ minDelayMs: 100, stableAfterMs: 1000 });
    policy.delayAfterCrash(0);
    policy.delayAfterCrash(999);

    expect(policy.delayAfterCrash(1000)).toBe(100);
    expect(policy.crashesInARow).toBe(1);
  });

  test("pauses in a crash loop until it is reset", () => {
    const policy = new RestartPolicy({ minDelayMs: 100, crashLoopAfter: 3, crashLoopPauseMs: 60_000 });

    const delays = [1, 2, 3, 4].map(() => policy.delayAfterCrash(0));
    const wasCrashLoop = policy.isCrashLoop;
    policy.reset();

    expect(delays).toEqual([100, 200, 60_000, 60_000]);
    expect(wasCrashLoop).toBe(true);
    expect(policy.delayAfterCrash(0)).toBe(100);
  });

  // NaN slips through a plain `< 0` check.
  test.each([0, -1, Number.NaN])("rejects minDelayMs: %s", (minDelayMs) => {
    expect(() => new RestartPolicy({ minDelayMs })).toThrow(
      expect.objectContaining({ code: "ALLCORES_ERR_INVALID_OPTION" }),
    );
  });
});
