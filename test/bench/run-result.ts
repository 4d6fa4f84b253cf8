// A run as the load side reports it, with the figures a test is about.

import type { LatencySummary, RunResult, ServerCost } from "../../src/bench/contract.ts";

export interface RunFigures {
  readonly scenario?: string;
  readonly target?: string;
  readonly deliveredRate?: number;
  readonly p99?: number;
  readonly costUs?: number;
  readonly primaryUs?: number;
  readonly lost?: number;
  readonly voidReasons?: readonly string[];
  readonly isBenchSound?: boolean;
  readonly figures?: RunResult["figures"];
  readonly marks?: RunResult["marks"];
}

export function runResult(figures: RunFigures = {}): RunResult {
  const { deliveredRate = 20_000, p99 = 8, costUs = 10, primaryUs = 1, lost = 0, voidReasons = [] } = figures;
  return {
    scenario: figures.scenario ?? "rooms",
    target: figures.target ?? "allcores",
    params: { rate: 2_000 },
    protocol: "bench",
    loadProcesses: 2,
    startedAt: "2026-01-02T03:04:05.000Z",
    measuredMs: 10_000,
    voidReasons,
    isBenchSound: figures.isBenchSound ?? voidReasons.length === 0,
    counts: { sent: 20_000, expected: 200_000, delivered: 200_000 - lost, acked: 0 },
    ledger: { ...CLEAN_LEDGER, ok: lost === 0, lost },
    rates: { sent: deliveredRate / 10, delivered: deliveredRate },
    latency: latency(p99),
    latencies: { connect: latency(p99 * 2) },
    connects: {
      attempted: 400,
      connected: 400,
      hung: 0,
      refused: 0,
      rate: 800,
      byWorker: { "0": 200, "1": 200 },
      returns: 0,
      recovered: 0,
    },
    cost: cost(costUs, primaryUs),
    series: [-1, 0, 1, 2].map((second) => ({
      second,
      connected: 400,
      sent: 2_000,
      delivered: 20_000,
      p50Ms: 1,
      p99Ms: p99,
      maxMs: p99 * 2,
      loadBusy: 0.3,
    })),
    marks: figures.marks ?? [],
    figures: figures.figures ?? [],
    load: { maxBusy: 0.3, lagP99Ms: 1, maxLagMs: 4, cpuMs: 3_000, runQueueMsPerSecond: 10 },
  };
}

const CLEAN_LEDGER: RunResult["ledger"] = {
  ok: true,
  lost: 0,
  missed: 0,
  duplicates: 0,
  senderOrder: 0,
  roomOrder: 0,
  stray: 0,
  corrupt: 0,
  uncertain: 0,
  sampledClients: 20,
  examples: [],
};

function latency(p99: number): LatencySummary {
  const curve = [0.5, 0.9, 0.99, 0.999].map((share) => [share, p99 * share] as const);
  return {
    count: 200_000,
    mean: p99 / 3,
    p50: p99 / 4,
    p90: p99 / 2,
    p99,
    p999: p99 * 2,
    p9999: p99 * 3,
    max: p99 * 4,
    curve,
  };
}

function cost(costUs: number, primaryUs: number): ServerCost {
  const byRole = (factor: number) => ({
    primary: primaryUs * factor,
    socketWorker: (costUs - primaryUs) * factor,
    total: costUs * factor,
  });
  return {
    cpuUs: byRole(200_000),
    cpuUsPerMessage: byRole(1),
    syscallsPerMessage: byRole(0.1),
    rssBytes: byRole(1e7),
    pssBytes: byRole(1e7),
    runQueueMsPerSecond: byRole(1),
  };
}
