import { Counter, Gauge, Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { reservedNames, takeAppMetrics } from "../../src/metrics/app-metrics.ts";

describe("takeAppMetrics", () => {
  test("takes what the app registered, labels and all", async () => {
    const registry = new Registry();
    const jobs = new Counter({ name: "app_jobs_total", help: "Jobs.", labelNames: ["kind"], registers: [registry] });
    jobs.inc({ kind: "big" }, 3);

    const taken = await takeAppMetrics(registry);

    expect(taken).toEqual([
      {
        name: "app_jobs_total",
        help: "Jobs.",
        type: "counter",
        aggregator: "sum",
        values: [{ labels: { kind: "big" }, value: 3 }],
      },
    ]);
  });

  test("leaves out, and names, metrics that would be mixed up with allcores' own", async () => {
    const registry = new Registry();
    new Gauge({ name: "allcores_connections", help: "Mine.", registers: [registry] });
    new Gauge({ name: "app_users", help: "Users.", registers: [registry] });

    const taken = await takeAppMetrics(registry);

    expect(taken.map(({ name }) => name)).toEqual(["app_users"]);
    expect(reservedNames(registry)).toEqual(["allcores_connections"]);
  });

  test("takes an aggregator that nobody knows for a sum", async () => {
    const registry = new Registry();
    new Gauge({ name: "app_users", help: "Users.", registers: [registry], aggregator: "median" as "sum" });

    const [users] = await takeAppMetrics(registry);

    expect(users?.aggregator).toBe("sum");
  });

  test.each([
    ["throws", () => Promise.reject(new Error("no database")), "no database"],
    ["never ends", () => new Promise<void>(() => {}), "took longer"],
  ])("rejects when the app's collect function %s", async (_what, collect, message) => {
    const registry = new Registry();
    new Gauge({ name: "app_users", help: "Users.", registers: [registry], collect });

    const taken = takeAppMetrics(registry);

    await expect(taken).rejects.toThrow(message);
  });

  test("rejects more series than fit", async () => {
    const registry = new Registry();
    const users = new Gauge({ name: "app_users", help: "Users.", labelNames: ["id"], registers: [registry] });
    for (let id = 0; id <= 20_000; id++) users.set({ id: String(id) }, 1);

    const taken = takeAppMetrics(registry);

    await expect(taken).rejects.toThrow("20001 series");
  });
});
