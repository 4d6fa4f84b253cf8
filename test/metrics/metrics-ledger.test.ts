import { describe, expect, test } from "vitest";
import { family, type MetricFamily, single } from "../../src/metrics/family.ts";
import { MetricsLedger } from "../../src/metrics/metrics-ledger.ts";
import { renderSnapshots } from "../../src/metrics/render.ts";

const received = (value: number, slot = 0) => single("allcores_messages_received_total", value, { slot });
const total = (ledger: MetricsLedger<string>) => ledger.total("allcores_messages_received_total");

describe("MetricsLedger", () => {
  test("adds up what live processes reported last", () => {
    const ledger = new MetricsLedger<string>();

    ledger.record("a", [received(1)], 0);
    ledger.record("a", [received(5)], 1);
    ledger.record("b", [received(2, 1)], 1);

    expect(total(ledger)).toBe(7);
  });

  test("keeps the counters of the gone, over any number of successors", () => {
    const ledger = new MetricsLedger<string>();

    for (const incarnation of ["0.1", "0.2", "0.3"]) {
      ledger.record(incarnation, [received(10)], 0);
      ledger.retire(incarnation);
    }
    ledger.record("0.4", [received(1)], 0);

    expect(total(ledger)).toBe(31);
  });

  test("drops the gauges of the gone", () => {
    const ledger = new MetricsLedger<string>();
    ledger.record("a", [single("allcores_process_open_fds", 20, { slot: 0 })], 0);

    ledger.retire("a");

    expect(ledger.snapshots()).toEqual([[]]);
  });

  test("keeps the buckets of a histogram, and the sum and count of a summary without its quantiles", async () => {
    const ledger = new MetricsLedger<string>();
    const summary: MetricFamily = {
      name: "app_size",
      help: "Sizes.",
      type: "summary",
      aggregator: "sum",
      values: [
        { labels: { quantile: "0.5" }, value: 9 },
        { labels: {}, value: 30, metricName: "app_size_sum" },
        { labels: {}, value: 3, metricName: "app_size_count" },
      ],
    };
    const histogram = family("allcores_pool_run_seconds", [
      { labels: { le: "+Inf" }, value: 2, metricName: "allcores_pool_run_seconds_bucket" },
    ]);

    ledger.record("a", [summary, histogram], 0);
    ledger.retire("a");
    ledger.record("b", [summary, histogram], 0);
    ledger.retire("b");
    const lines = (await renderSnapshots(ledger.snapshots())).split("\n").filter((line) => /^[^#]/.test(line));

    expect(lines).toEqual(["app_size_sum 60", "app_size_count 6", 'allcores_pool_run_seconds_bucket{le="+Inf"} 4']);
  });

  test("retires a process that never reported", () => {
    const ledger = new MetricsLedger<string>();

    ledger.retire("unknown");

    expect(ledger.snapshots()).toEqual([[]]);
  });
});
