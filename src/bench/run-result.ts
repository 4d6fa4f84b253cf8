// Makes the result of a run from what was observed. Decides nothing about the run itself.

import type { ConnectStats, LatencySummary, LoadLimits, LoadWatch, Params, RunResult, Target } from "./contract.ts";
import type { CostWatch } from "./cost/cost-watch.ts";
import { Histogram, mergeHistograms, type SparseHistogram } from "./histogram.ts";
import type { Verdict } from "./ledger/verdict.ts";
import type { LoadResult } from "./load/load-messages.ts";
import type { ConnectCounts } from "./load/run-stats.ts";
import type { LoadScript } from "./load/script.ts";
import type { Scenario } from "./scenario.ts";
import type { Connected, TrafficTimes } from "./scenario-run.ts";
import type { Timeline } from "./timeline.ts";
import { voidReasons } from "./void-reasons.ts";

export interface Observed {
  readonly scenario: Scenario;
  readonly params: Params;
  readonly script: LoadScript;
  readonly target: Target;
  readonly loadProcesses: number;
  readonly loadLimits: LoadLimits;
  readonly startedAt: Date;
  readonly connected: Connected;
  readonly times: TrafficTimes;
  readonly results: readonly LoadResult[];
  readonly verdict: Verdict;
  readonly costs: CostWatch | undefined;
  readonly timeline: Timeline;
}

export function composeResult(observed: Observed): RunResult {
  const { scenario, params, script, target, connected, times, results, verdict, timeline } = observed;
  const measuredMs = (times.stopUs - times.measureFromUs) / 1000;
  const perSecond = (count: number): number => count / (measuredMs / 1000);
  const delivered = sumOf(results, ({ stats }) => stats.measuredDelivered);
  const connects = composeConnects(observed);
  const load = composeLoad(results, measuredMs);
  const histograms = mergeByName(results.flatMap(({ stats }) => stats.latencies));
  const latency = (name: string): LatencySummary => (histograms.get(name) ?? new Histogram()).summary();
  const cost = observed.costs?.cost(delivered, measuredMs);
  const notReturned = sumOf(results, (result) => result.notReturned);
  const reasons = voidReasons({
    ...verdict,
    isOrderComplete: results.every(({ ledger }) => ledger.isOrderComplete),
    ordersRooms: target.ordersRooms ?? true,
    load,
    limits: observed.loadLimits,
    unsent: sumOf(results, (result) => result.unsent),
    notConnected: scenario.measuresConnects === true ? 0 : fromStart(script) - readyAtStart(connected),
    notReturned,
    hasTraffic: script.flows.length > 0,
    chaosError: times.chaosError,
  });
  const facts = {
    ledger: verdict.ledger,
    urls: target.urls,
    script,
    connects,
    notReturned,
    latency,
    measuredMs,
    cost,
    pssBeforeBytes: observed.costs?.pssBefore,
    workers: connected.workers,
    sendRooms: connected.layout.sendRooms,
  };

  return {
    scenario: scenario.name,
    target: target.name,
    params,
    protocol: script.protocol.name,
    loadProcesses: observed.loadProcesses,
    startedAt: observed.startedAt.toISOString(),
    measuredMs,
    voidReasons: [...reasons.server, ...reasons.bench],
    isBenchSound: reasons.bench.length === 0,
    ...verdict,
    rates: { sent: perSecond(sumOf(results, ({ stats }) => stats.measuredSent)), delivered: perSecond(delivered) },
    latency: latency(scenario.mainLatency),
    latencies: Object.fromEntries([...histograms].map(([name, histogram]) => [name, histogram.summary()])),
    connects,
    ...(cost !== undefined && { cost }),
    series: timeline.series(times.zeroUs, times.stopUs),
    marks: timeline.marks(times.zeroUs),
    figures: scenario.figures?.(facts, params) ?? [],
    load,
  };
}

function composeConnects({ connected, results }: Observed): ConnectStats {
  const count = (name: keyof ConnectCounts): number => sumOf(results, ({ stats }) => stats.connects[name]);
  const lastReadyUs = Math.max(0, ...connected.answers.map((answer) => answer.lastReadyUs));
  const seconds = (lastReadyUs - connected.startUs) / 1e6;
  const byWorker: Record<string, number> = {};
  for (const worker of [...connected.workers.values()].sort()) byWorker[worker] = (byWorker[worker] ?? 0) + 1;
  return {
    attempted: count("attempted"),
    connected: count("connected"),
    hung: count("hung"),
    refused: count("refused"),
    rate: seconds > 0 ? readyAtStart(connected) / seconds : 0,
    byWorker,
    returns: count("returns"),
    recovered: count("recovered"),
  };
}

function composeLoad(results: readonly LoadResult[], measuredMs: number): LoadWatch {
  const lags = results.map(({ self }) => mergeHistograms([self.lag]));
  return {
    maxBusy: Math.max(...results.map(({ self }) => self.busy)),
    lagP99Ms: Math.max(...lags.map((lag) => lag.quantileUs(0.99))) / 1000,
    maxLagMs: Math.max(...lags.map((lag) => lag.maxUs)) / 1000,
    cpuMs: sumOf(results, ({ self }) => self.cpuUs) / 1000,
    runQueueMsPerSecond: sumOf(results, ({ self }) => self.runQueueMs) / (measuredMs / 1000),
  };
}

function mergeByName(parts: readonly (readonly [string, SparseHistogram])[]): Map<string, Histogram> {
  const merged = new Map<string, Histogram>();
  for (const [name, part] of parts) {
    const histogram = merged.get(name) ?? new Histogram();
    histogram.add(part);
    merged.set(name, histogram);
  }
  return merged;
}

function fromStart({ clients }: LoadScript): number {
  return clients.filter(({ bornMs }) => bornMs === undefined).length;
}

function readyAtStart({ answers }: Connected): number {
  return sumOf(answers, ({ ready }) => ready);
}

function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}
