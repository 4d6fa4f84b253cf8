import { describe, expect, test } from "vitest";
import { HangWatch } from "../../src/primary/hang-watch.ts";

const EVERY_MS = 500;

/** Asks at regular intervals from `fromMs` up to `toMs`, and returns the last answer. */
function ask(watch: HangWatch, fromMs: number, toMs: number): boolean {
  let isHung = false;
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += EVERY_MS) isHung = watch.isHung(nowMs);
  return isHung;
}

describe("HangWatch", () => {
  test("tells a process that was silent for the whole time from one that was not", () => {
    const watch = new HangWatch({ timeoutMs: 3000, everyMs: EVERY_MS });

    const answers = [ask(watch, 0, 2500), ask(watch, 3000, 3000)];

    expect(answers).toEqual([false, true]);
  });

  test("begins anew with every sign of life", () => {
    const watch = new HangWatch({ timeoutMs: 3000, everyMs: EVERY_MS });

    ask(watch, 0, 2500);
    watch.heard();
    const answers = [ask(watch, 3000, 5000), ask(watch, 5500, 5500)];

    expect(answers).toEqual([false, true]);
  });

  // A laptop that slept, or a primary that was stopped, must not kill every worker when it wakes up.
  test("does not take its own absence for the silence of others", () => {
    const watch = new HangWatch({ timeoutMs: 3000, everyMs: EVERY_MS });

    ask(watch, 0, 1000);
    const isHung = watch.isHung(1_000_000);

    expect(isHung).toBe(false);
  });
});
