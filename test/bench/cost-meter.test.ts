import { describe, expect, test } from "vitest";
import type { PidsByRole } from "../../src/bench/contract.ts";
import { CostMeter, subtractFigures } from "../../src/bench/cost/cost-meter.ts";
import { readPssBytes, sampleProcess } from "../../src/bench/cost/proc.ts";

const ZERO = { cpuUs: 0, reapedUs: 0, rssBytes: 0, syscalls: 0, runQueueMs: 0 };

/** A machine whose processes are told one sample after the other. */
function machine(samples: readonly Record<number, { cpuUs: number; reapedUs?: number; rssBytes?: number }>[]) {
  let at = -1;
  const pids = (): PidsByRole => {
    at++;
    const present = Object.keys(samples[at] ?? {}).map(Number);
    return { primary: present.filter((pid) => pid === 1), socketWorker: present.filter((pid) => pid > 1) };
  };
  return new CostMeter(pids, (pid) => ({ ...ZERO, ...samples[at]?.[pid] }));
}

describe("CostMeter", () => {
  test("counts from the first sample on, by role", async () => {
    const meter = machine([
      { 1: { cpuUs: 100 }, 2: { cpuUs: 500, rssBytes: 7 } },
      { 1: { cpuUs: 130 }, 2: { cpuUs: 900, rssBytes: 8 } },
    ]);

    const first = await meter.sample();
    const second = await meter.sample();

    expect(first.cpuUs).toEqual({ primary: 0, socketWorker: 0, total: 0 });
    expect(second.cpuUs).toEqual({ primary: 30, socketWorker: 400, total: 430 });
    expect(second.rssBytes).toEqual({ primary: 0, socketWorker: 8, total: 8 });
  });

  test("counts all of a worker that was started during the run", async () => {
    const meter = machine([{ 1: { cpuUs: 0 } }, { 1: { cpuUs: 0 }, 3: { cpuUs: 70 } }]);

    await meter.sample();

    expect((await meter.sample()).cpuUs.socketWorker).toBe(70);
  });

  test("keeps what a dead worker cost, and adds what it did after its last sample", async () => {
    const meter = machine([
      { 1: { cpuUs: 0, reapedUs: 5 }, 2: { cpuUs: 100 } },
      { 1: { cpuUs: 0, reapedUs: 5 }, 2: { cpuUs: 150 } },
      { 1: { cpuUs: 0, reapedUs: 5 } },
      { 1: { cpuUs: 0, reapedUs: 5 + 180 } },
      { 1: { cpuUs: 0, reapedUs: 5 + 180 } },
    ]);

    const totals = [];
    for (let i = 0; i < 5; i++) totals.push((await meter.sample()).cpuUs.socketWorker);

    expect(totals).toEqual([0, 50, 50, 80, 80]);
  });

  test("subtracts by role", () => {
    expect(subtractFigures({ primary: 5, redis: 2, total: 7 }, { primary: 3, total: 3 })).toEqual({
      primary: 2,
      redis: 2,
      total: 4,
    });
  });
});

describe("sampleProcess", () => {
  test("reads this very process", () => {
    const sample = sampleProcess(process.pid);

    expect(sample?.cpuUs).toBeGreaterThan(0);
    expect(sample?.rssBytes).toBeGreaterThan(10_000_000);
    expect(sample?.syscalls).toBeGreaterThan(0);
    expect(readPssBytes(process.pid)).toBeGreaterThan(1_000_000);
  });

  test("is undefined for a process that is gone", () => {
    expect(sampleProcess(2 ** 22 + 1)).toBeUndefined();
  });
});
