// The run second by second: what the load processes counted, and what the server cost meanwhile.

import type { Mark, SeriesPoint } from "./contract.ts";
import { addFigures, type CostTotals, mapFigures, subtractFigures } from "./cost/cost-meter.ts";
import { Histogram } from "./histogram.ts";
import type { PulseMessage } from "./load/load-fleet.ts";
import type { Pulse } from "./load/run-stats.ts";

interface Second {
  sent: number;
  delivered: number;
  connected: number;
  busy: number;
  readonly latency: Histogram;
  cost?: Pick<CostTotals, "cpuUs" | "rssBytes">;
}

/** What the progress line shows of the last whole second. */
export interface LastSecond {
  readonly connected: number;
  readonly sent: number;
  readonly delivered: number;
  readonly p99Ms: number | undefined;
}

export class Timeline {
  readonly #seconds = new Map<number, Second>();
  readonly #connectedByShare = new Map<number, number>();
  readonly #marks: { readonly atUs: number; readonly label: string }[] = [];
  #lastCost: CostTotals | undefined;

  addPulse(share: number, { pulses, connected, busy }: PulseMessage, nowUs: number): void {
    this.#connectedByShare.set(share, connected);
    this.addSeconds(pulses);
    const last = this.#second(Math.floor(nowUs / 1e6) - 1);
    last.connected = sum(this.#connectedByShare.values());
    last.busy = Math.max(last.busy, busy);
  }

  addSeconds(pulses: readonly Pulse[]): void {
    for (const pulse of pulses) {
      const second = this.#second(pulse.second);
      second.sent += pulse.sent;
      second.delivered += pulse.delivered;
      second.latency.add(pulse.latency);
    }
  }

  /** The server's totals at the end of a second. */
  addCost(totals: CostTotals, nowUs: number): void {
    const second = this.#second(Math.floor(nowUs / 1e6) - 1);
    const spent = subtractFigures(totals.cpuUs, this.#lastCost?.cpuUs ?? totals.cpuUs);
    // A second may be told twice: by the clock, and at the end of the measured time.
    const cpuUs = second.cost === undefined ? spent : addFigures(second.cost.cpuUs, spent);
    second.cost = { cpuUs, rssBytes: totals.rssBytes };
    this.#lastCost = totals;
  }

  mark(label: string, atUs: number): void {
    this.#marks.push({ atUs, label });
  }

  lastSecond(nowUs: number): LastSecond {
    const { sent, delivered, latency } = this.#second(Math.floor(nowUs / 1e6) - 2);
    const p99Ms = latency.count > 0 ? latency.quantileUs(0.99) / 1000 : undefined;
    return { connected: sum(this.#connectedByShare.values()), sent, delivered, p99Ms };
  }

  /** All seconds up to `untilUs`; second 0 is the one that begins at `zeroUs`. */
  series(zeroUs: number, untilUs: number): SeriesPoint[] {
    const zero = Math.round(zeroUs / 1e6);
    return [...this.#seconds]
      .filter(([second]) => second * 1e6 < untilUs)
      .sort(([a], [b]) => a - b)
      .map(([second, counts]) => point(second - zero, counts));
  }

  marks(zeroUs: number): Mark[] {
    return this.#marks.map(({ atUs, label }) => ({ atSecond: (atUs - zeroUs) / 1e6, label }));
  }

  #second(at: number): Second {
    let second = this.#seconds.get(at);
    if (second === undefined) {
      second = { sent: 0, delivered: 0, connected: 0, busy: 0, latency: new Histogram() };
      this.#seconds.set(at, second);
    }
    return second;
  }
}

function point(second: number, { sent, delivered, connected, busy, latency, cost }: Second): SeriesPoint {
  const ms = (q: number): number | undefined => (latency.count > 0 ? latency.quantileUs(q) / 1000 : undefined);
  return {
    second,
    connected,
    sent,
    delivered,
    p50Ms: ms(0.5),
    p99Ms: ms(0.99),
    maxMs: ms(1),
    ...(cost !== undefined && { cpuMs: mapFigures(cost.cpuUs, (us) => us / 1000), rssBytes: cost.rssBytes }),
    loadBusy: busy,
  };
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
