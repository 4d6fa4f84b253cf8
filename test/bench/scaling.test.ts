import { describe, expect, test } from "vitest";
import { modelScaling, type ScalingPoint } from "../../src/bench/scaling.ts";

const NOISE = [0.98, 1, 1.02];

/** Runs of a server whose cost is exactly `overhead` times the floor's, give or take 2 %. */
function runs(target: string, costUs: (workers: number) => number, primaryUs: (workers: number) => number) {
  return [1, 2, 4, 8].flatMap((workers) =>
    NOISE.map((noise, round): ScalingPoint => {
      return {
        target,
        workers,
        round,
        costUs: costUs(workers) * noise,
        primaryUs: primaryUs(workers) * noise,
        machineBusy: 1,
      };
    }),
  );
}

const spreadThin = (workers: number) => 8 * (1 + 0.2 * Math.log2(workers));
const floor = runs("floor", spreadThin, () => 0);

describe("the scaling model", () => {
  test("finds the contention it was fed, and not the growth the floor shares", () => {
    const ours = runs(
      "allcores",
      (n) => spreadThin(n) * (1.1 + 0.02 * (n - 1)),
      () => 0.1,
    );

    const model = modelScaling([...ours, ...floor], "allcores");

    expect(model?.onePlainProcessUs).toBeCloseTo(8);
    expect(model?.overhead.intercept).toBeCloseTo(1.1);
    expect(model?.overhead.slope).toBeCloseTo(0.02);
    const at16 = model?.capacity.find((row) => row.cores === 16);
    expect(at16?.boundBy).toBe("cores");
    expect(at16?.perSecond.value).toBeCloseTo((16 * 1e6) / (8 * 1.4), -2);
    expect(at16?.floorPerSecond).toBeCloseTo(2e6);
  });

  test("lets the primary bound the box once its one thread is full", () => {
    const ours = runs("official", spreadThin, (n) => 1 + n);

    const model = modelScaling([...ours, ...floor], "official");

    const at64 = model?.capacity.find((row) => row.cores === 64);
    expect(at64?.boundBy).toBe("primary");
    expect(at64?.perSecond.value).toBeCloseTo(1e6 / 65, -2);
    expect(at64?.perSecond.low).toBeLessThan(1e6 / 65);
    expect(at64?.perSecond.high).toBeGreaterThan(1e6 / 65);
  });

  test("never promises more than the floor, whatever the noise says", () => {
    const ours = runs(
      "allcores",
      (n) => spreadThin(n) * 0.7,
      () => 0,
    );

    const model = modelScaling([...ours, ...floor], "allcores");

    for (const { perSecond, floorPerSecond } of model?.capacity ?? []) {
      expect(perSecond).toEqual({ value: floorPerSecond, low: floorPerSecond, high: floorPerSecond });
    }
  });

  test("divides runs of one round only", () => {
    const ours: ScalingPoint[] = [
      { target: "allcores", workers: 1, round: 0, costUs: 10, primaryUs: 0, machineBusy: 1 },
      { target: "allcores", workers: 2, round: 9, costUs: 10, primaryUs: 0, machineBusy: 1 },
    ];

    expect(modelScaling([...ours, ...floor], "allcores")).toBeUndefined();
  });
});
