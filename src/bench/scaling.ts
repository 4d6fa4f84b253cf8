// From cost per message measured at a few worker counts to the capacity of a machine with more cores: a model, and marked as one.
//
// A machine with few cores cannot show what 64 do, but it can show what a message costs when 16 workers share the work.
// Two bounds of operational analysis (Denning and Buzen, "The Operational Analysis of Queueing Network Models",
// ACM Computing Surveys 10(3), 1978: throughput times demand is utilization, and none exceeds its station) give the rest:
//
//   X(C) <= C / D(C)   all cores busy; D is the CPU time of the whole server per delivered message with C workers
//   X(C) <= 1 / P(C)   the primary's one thread busy; P is its share of that time
//
// D(C) is not read off the measured cost, which also grows because two cores wake up ever more processes ever more rarely.
// The floor (as many processes, sharing nothing) has that growth and no other, and on C real cores it costs what one process
// costs. So D(C) = d1 * R(C), where R is our cost over the floor's at the same N and rate. R is fitted as r0 + s * (N - 1):
// Gunther's Universal Scalability Law ("A General Theory of Computational Scalability Based on Rational Functions",
// arXiv:0808.1431) in its cost form, with contention s. Its quadratic term is left at 0: the hub talks to each worker once,
// workers never talk to each other, and a square fitted to N <= 16 says nothing about 64.

import { availableParallelism } from "node:os";
import { type Estimate, fitLine, type Line, median, type Point, predict } from "./statistics.ts";

/** One measured run, of one server with one number of workers. */
export interface ScalingPoint {
  readonly target: string;
  readonly workers: number;
  /** Runs of one round were made side by side and may be divided by each other. */
  readonly round: number;
  /** CPU time of the whole server per delivered message, in microseconds. */
  readonly costUs: number;
  /** CPU time of the primary per delivered message, in microseconds. */
  readonly primaryUs: number;
  /** How much of the machine server and load side used together, 0 to 1: what is said about capacity needs it near 1. */
  readonly machineBusy: number;
}

export interface CapacityRow {
  readonly cores: number;
  /** Delivered messages a second, with the 95 % band of the fit. */
  readonly perSecond: Estimate;
  /** What the floor would do on as many cores. */
  readonly floorPerSecond: number;
  /** What is full first. */
  readonly boundBy: "cores" | "primary";
}

export interface ScalingModel {
  /** CPU time per delivered message of one plain process at this rate, in microseconds. */
  readonly onePlainProcessUs: number;
  /** Our cost over the floor's, against workers - 1. */
  readonly overhead: Line;
  /** CPU time of the primary per delivered message, against workers - 1. */
  readonly primary: Line;
  readonly capacity: readonly CapacityRow[];
}

/** Name of the baseline that the law is held against. */
export const FLOOR = "floor";

/**
 * Messages a second into the server. Spread thin, everything costs more: each wake-up is paid for by fewer messages.
 * So much that the machine is nearly full, and so little that the load side, which runs on it too, keeps up.
 */
export const SCALING_RATE = 2_000 * availableParallelism();

/**
 * How late 1 % of messages may leave here. With 16 workers and the load side on two cores, a load process waits for a core
 * longer than elsewhere. What is read off these runs is CPU time per message, not time in a queue;
 * messages that come in a bunch make it lower, for the floor as well.
 */
export const SCALING_MAX_LAG_MS = 150;

export const MODELLED_CORES: readonly number[] = [4, 8, 16, 32, 64];

export const SCALING_LAW =
  "capacity(C) = min(C / (d1 x R(C)), 1 / P(C)); R(N) = r0 + s(N-1) is the cost over the floor's at the same N " +
  "(Universal Scalability Law, Gunther 2008, cost form, no quadratic term); P(N) is the primary's time per message " +
  "(utilization law, Denning and Buzen 1978). Band: 95 % prediction interval of the two fits.";

/** Fits the law to the runs of `target` against those of the floor; `undefined` when fewer than two worker counts have both. */
export function modelScaling(points: readonly ScalingPoint[], target: string): ScalingModel | undefined {
  const ours = points.filter((point) => point.target === target);
  const floors = points.filter((point) => point.target === FLOOR);
  const ratios = ours.flatMap((point) => ratioToFloor(point, floors));
  const singles = floors.filter((point) => point.workers === 1).map((point) => point.costUs);
  if (new Set(ratios.map((point) => point.x)).size < 2 || singles.length === 0) return undefined;

  const onePlainProcessUs = median(singles);
  const overhead = fitLine(ratios);
  const primary = fitLine(ours.map((point) => ({ x: point.workers - 1, y: point.primaryUs })));
  const capacity = MODELLED_CORES.map((cores) => capacityOf(cores, onePlainProcessUs, overhead, primary));
  return { onePlainProcessUs, overhead, primary, capacity };
}

function ratioToFloor(point: ScalingPoint, floors: readonly ScalingPoint[]): Point[] {
  const floor = floors.find(({ workers, round }) => workers === point.workers && round === point.round);
  return floor === undefined ? [] : [{ x: point.workers - 1, y: point.costUs / floor.costUs }];
}

function capacityOf(cores: number, onePlainProcessUs: number, overhead: Line, primary: Line): CapacityRow {
  const floorPerSecond = (cores * 1e6) / onePlainProcessUs;
  const byCores = invert(predict(overhead, cores - 1), floorPerSecond);
  const byPrimary = invert(predict(primary, cores - 1), 1e6);
  // Nothing that connects its workers is cheaper than what shares nothing: where noise says so, the floor is the bound.
  const perSecond = {
    value: Math.min(byCores.value, byPrimary.value, floorPerSecond),
    low: Math.min(byCores.low, byPrimary.low, floorPerSecond),
    high: Math.min(byCores.high, byPrimary.high, floorPerSecond),
  };
  return { cores, perSecond, floorPerSecond, boundBy: byCores.value <= byPrimary.value ? "cores" : "primary" };
}

/** `numerator / cost`: the high end of a cost is the low end of a rate, and a cost that may be nothing bounds no rate. */
function invert(cost: Estimate, numerator: number): Estimate {
  const rate = (us: number): number => (us <= 0 ? Number.POSITIVE_INFINITY : numerator / us);
  return { value: rate(cost.value), low: rate(cost.high), high: rate(cost.low) };
}
