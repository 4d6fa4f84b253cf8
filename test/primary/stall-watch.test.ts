import { describe, expect, test } from "vitest";
import { type Backlog, StallWatch } from "../../src/primary/stall-watch.ts";

const EVERY_MS = 500;

/** Asks at regular intervals, one answer for each backlog. */
function ask(watch: StallWatch, backlogs: readonly Backlog[]): boolean[] {
  return backlogs.map((backlog, i) => watch.isStalled(i * EVERY_MS, backlog));
}

describe("StallWatch", () => {
  test("tells a process for which bytes wait and that takes none", () => {
    const watch = new StallWatch({ timeoutMs: 1000, everyMs: EVERY_MS });
    const stuck = { queuedBytes: 10, takenBytes: 5 };

    const answers = ask(watch, [stuck, stuck, stuck, stuck]);

    expect(answers).toEqual([false, false, true, true]);
    expect(watch.stalledMs).toBe(1500);
  });

  test("lets one be that takes something now and then, however much waits", () => {
    const watch = new StallWatch({ timeoutMs: 1000, everyMs: EVERY_MS });
    const slow = [0, 0, 1, 1, 2, 2, 3].map((takenBytes, i) => ({ queuedBytes: 1000 * (i + 1), takenBytes }));

    const answers = ask(watch, slow);

    expect(answers).not.toContain(true);
  });

  test("lets one be that has nothing to take", () => {
    const watch = new StallWatch({ timeoutMs: 1000, everyMs: EVERY_MS });

    const answers = ask(watch, Array(10).fill({ queuedBytes: 0, takenBytes: 7 }));

    expect(answers).not.toContain(true);
    expect(watch.stalledMs).toBe(0);
  });
});
