// What one load process counts and times during a run: by second for the timeline, and for the measured time.

import { Histogram, type SparseHistogram } from "../histogram.ts";

/** One second of one load process. Seconds are those of the machine's clock, so processes agree on them. */
export interface Pulse {
  readonly second: number;
  readonly sent: number;
  readonly delivered: number;
  readonly latency: SparseHistogram;
}

/** Connections, over the whole run. Counted by attempt, except `connected`: clients that got in at least once. */
export interface ConnectCounts {
  attempted: number;
  connected: number;
  hung: number;
  refused: number;
  returns: number;
  recovered: number;
  kicked: number;
}

/** Names of latencies that are not called after a client event. */
export const CONNECT_LATENCY = "connect";
export const DELIVERY_LATENCY = "delivery";
/** Longest time without a message, by client. */
export const GAP_LATENCY = "gap";

interface SecondCounts {
  sent: number;
  delivered: number;
  readonly latency: Histogram;
}

export class RunStats {
  readonly connects: ConnectCounts = {
    attempted: 0,
    connected: 0,
    hung: 0,
    refused: 0,
    returns: 0,
    recovered: 0,
    kicked: 0,
  };
  readonly #histograms = new Map<string, Histogram>();
  readonly #seconds = new Map<number, SecondCounts>();
  readonly #main: string;
  #currentSecond = Number.NaN;
  #current: SecondCounts | undefined;
  #measureFromUs = Number.POSITIVE_INFINITY;
  #measureUntilUs = Number.POSITIVE_INFINITY;
  #measuredSent = 0;
  #measuredDelivered = 0;

  /** `main` names the latency that the timeline shows. */
  constructor(main: string) {
    this.#main = main;
  }

  /** Begin of the measured time on the machine's clock. */
  measureFrom(us: number): void {
    this.#measureFromUs = us;
  }

  /** End of the measured time: what is due or arrives later counts for the ledger only. */
  measureUntil(us: number): void {
    this.#measureUntilUs = us;
  }

  isMeasured(us: number): boolean {
    return us >= this.#measureFromUs && us < this.#measureUntilUs;
  }

  sent(atUs: number): void {
    this.#secondOf(atUs).sent++;
    if (this.isMeasured(atUs)) this.#measuredSent++;
  }

  /** A result arrived at `atUs` that was due at `dueUs`; `name` says which latency it belongs to. */
  delivered(name: string, dueUs: number, atUs: number): void {
    this.#secondOf(atUs).delivered++;
    if (this.isMeasured(atUs)) this.#measuredDelivered++;
    this.#showOnTimeline(name, dueUs, atUs);
    if (this.isMeasured(dueUs)) this.#record(name, atUs - dueUs);
  }

  /** A connection that was due at `dueUs` was ready at `atUs`. Connects are timed whenever they are. */
  connected(dueUs: number, atUs: number): void {
    this.connects.connected++;
    this.#showOnTimeline(CONNECT_LATENCY, dueUs, atUs);
    this.#record(CONNECT_LATENCY, atUs - dueUs);
  }

  /** Records a duration that is no message's. */
  time(name: string, us: number): void {
    this.#record(name, us);
  }

  /** The seconds before `second`; each is handed out once. */
  takePulses(second: number): Pulse[] {
    const over = [...this.#seconds].filter(([at]) => at < second);
    for (const [at] of over) this.#seconds.delete(at);
    return over.map(([at, counts]) => ({ ...counts, second: at, latency: counts.latency.toSparse() }));
  }

  report() {
    return {
      connects: this.connects,
      measuredSent: this.#measuredSent,
      measuredDelivered: this.#measuredDelivered,
      latencies: [...this.#histograms].map(([name, histogram]) => [name, histogram.toSparse()] as const),
    };
  }

  #showOnTimeline(name: string, dueUs: number, atUs: number): void {
    if (name === this.#main) this.#secondOf(atUs).latency.record(atUs - dueUs);
  }

  #record(name: string, us: number): void {
    let histogram = this.#histograms.get(name);
    if (histogram === undefined) {
      histogram = new Histogram();
      this.#histograms.set(name, histogram);
    }
    histogram.record(us);
  }

  #secondOf(atUs: number): SecondCounts {
    const second = Math.floor(atUs / 1e6);
    if (second === this.#currentSecond && this.#current !== undefined) return this.#current;
    this.#current = this.#seconds.get(second) ?? { sent: 0, delivered: 0, latency: new Histogram() };
    this.#seconds.set(second, this.#current);
    this.#currentSecond = second;
    return this.#current;
  }
}

export type StatsReport = ReturnType<RunStats["report"]>;
