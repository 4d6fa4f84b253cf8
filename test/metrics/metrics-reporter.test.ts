import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { BusConnection } from "../../src/bus/connection.ts";
import { single } from "../../src/metrics/family.ts";
import { MetricsReporter } from "../../src/metrics/metrics-reporter.ts";

let rounds: number[];
let reporter: MetricsReporter;

beforeEach(() => {
  vi.useFakeTimers();
  rounds = [];
});

afterEach(() => vi.useRealTimers());

function report(series: number): void {
  const snapshot = Array.from({ length: series }, () => single("allcores_pool_queued", 1));
  const send = ({ round }: { round: number }) => rounds.push(round);
  reporter = new MetricsReporter({ bus: { send } as unknown as BusConnection, take: () => Promise.resolve(snapshot) });
}

describe("MetricsReporter", () => {
  test("reports at once and every five seconds", async () => {
    report(100);

    await vi.advanceTimersByTimeAsync(17_500);

    expect(rounds).toEqual([0, 0, 0, 0]);
  });

  // An app with many series would otherwise spend its worker's time on reports that nobody asked for.
  test("reports many series seldom", async () => {
    report(20_000);

    await vi.advanceTimersByTimeAsync(19_999);

    expect(rounds).toEqual([0, 0]);
  });

  test("reports when asked, and five seconds after that again", async () => {
    report(100);
    await vi.advanceTimersByTimeAsync(500);

    reporter.handle({ type: "metricsRequest", round: 7 });
    await vi.advanceTimersByTimeAsync(4999);
    const soon = [...rounds];
    await vi.advanceTimersByTimeAsync(1);

    expect(soon).toEqual([0, 7]);
    expect(rounds).toEqual([0, 7, 7]);
  });

  test("sends a last report when it stops, and no more, asked or not", async () => {
    report(100);
    await vi.advanceTimersByTimeAsync(0);

    await reporter.stop();
    reporter.handle({ type: "metricsRequest", round: 8 });
    await vi.advanceTimersByTimeAsync(5000);

    expect(rounds).toEqual([0, 0]);
  });
});
