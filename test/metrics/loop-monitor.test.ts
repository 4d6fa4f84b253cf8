import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { MetricFamily } from "../../src/metrics/family.ts";
import { LoopMonitor } from "../../src/metrics/loop-monitor.ts";

let monitor: LoopMonitor;

afterEach(() => monitor.stop());

function stall(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

function stallsAbove(seconds: number, families: readonly MetricFamily[]): number {
  const worst = families.find(({ name }) => name === "allcores_event_loop_worst_lag_seconds");
  const bucket = (le: string | number) =>
    worst?.values.find(({ labels, metricName }) => labels.le === le && metricName?.endsWith("_bucket"))?.value ?? 0;
  return bucket("+Inf") - bucket(seconds);
}

describe("LoopMonitor", () => {
  // perf_hooks' monitorEventLoopDelay with a reset per window loses those that end a window.
  test("sees a stall at whatever moment of its window it comes", async () => {
    monitor = new LoopMonitor({ resolutionMs: 5, windowMs: 60 });

    for (let phase = 0; phase < 8; phase++) {
      await delay(60 + phase * 8);
      stall(120);
      await delay(70);
    }

    expect(stallsAbove(0.1, monitor.families({ slot: 0 }))).toBeGreaterThanOrEqual(8);
  });

  test("tells the lag of the last windows in milliseconds, a stall only in its worst", async () => {
    monitor = new LoopMonitor({ resolutionMs: 5, windowMs: 1000 });
    await delay(300);

    stall(150);
    await delay(20);
    const { p50Ms, p99Ms, maxMs } = monitor.lag();

    expect(maxMs).toBeGreaterThan(100);
    expect(p50Ms).toBeLessThan(maxMs);
    expect(p99Ms).toBeLessThanOrEqual(maxMs);
  });

  // A reader that comes once a second has to see what happened in the second before.
  test("tells a stall as recent until the window after it is over", async () => {
    monitor = new LoopMonitor({ resolutionMs: 5, windowMs: 1000 });
    await delay(20);
    stall(1200);

    await delay(200);
    const next = monitor.recentWorstMs();
    await delay(2200);
    const later = monitor.recentWorstMs();

    expect(next).toBeGreaterThan(1000);
    expect(later).toBeLessThan(1000);
  });

  test("forgets a stall once its window is out of sight", async () => {
    monitor = new LoopMonitor({ resolutionMs: 5, windowMs: 40, windows: 2 });
    await delay(20);
    stall(1000);

    await delay(300);

    expect(monitor.lag().maxMs).toBeLessThan(500);
  });
});
