import { describe, expect, test } from "vitest";
import { type MetricFamily, single } from "../../src/metrics/family.ts";
import { renderSnapshots } from "../../src/metrics/render.ts";
import { decodeSnapshot, encodeSnapshot } from "../../src/metrics/snapshot-codec.ts";

const family = (type: MetricFamily["type"], value: number): MetricFamily => ({
  name: "app_jobs",
  help: "Jobs.",
  type,
  aggregator: "sum",
  values: [{ labels: {}, value }],
});

describe("renderSnapshots", () => {
  test("adds up what has the same labels and takes the greater where sums make no sense", async () => {
    const worker = [
      single("allcores_messages_received_total", 2, { slot: 0 }),
      single("allcores_event_loop_lag_max_seconds", 0.5, { slot: 0 }),
    ];

    const text = await renderSnapshots([worker, worker]);

    expect(text).toContain('allcores_messages_received_total{slot="0"} 4');
    expect(text).toContain('allcores_event_loop_lag_max_seconds{slot="0"} 0.5');
  });

  // During a reload the old and the new version of an app may disagree about a metric.
  test("leaves out what contradicts the first about the type of a metric", async () => {
    const text = await renderSnapshots([[family("counter", 1)], [family("gauge", 7)], [family("counter", 2)]]);

    expect(text).toBe("# HELP app_jobs Jobs.\n# TYPE app_jobs counter\napp_jobs 3\n");
  });

  test.each([
    [Number.NaN, "app_jobs Nan"],
    [Number.POSITIVE_INFINITY, "app_jobs +Inf"],
  ])("a gauge of %s survives the way over the bus", async (value, line) => {
    const decoded = decodeSnapshot(encodeSnapshot([family("gauge", value)]));

    const text = await renderSnapshots([decoded ?? []]);

    expect(text).toContain(line);
  });

  test("bytes that are no snapshot are none", () => {
    expect(decodeSnapshot(Buffer.from("garbage"))).toBeUndefined();
  });
});
