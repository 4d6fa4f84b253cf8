// One run of a scenario against a target:
//
//   load processes up -> clients connect -> traffic: warm-up, measured time (and chaos) -> stop -> settle -> result
//
// The parent does no traffic itself: it gives commands, watches the server's costs, and adds up.

import { setTimeout as sleep } from "node:timers/promises";
import { toError } from "../errors.ts";
import { withDeadline } from "../lib/deadline.ts";
import type { LoadLimits, Params, RunPhase, RunResult, RunWatch, Target } from "./contract.ts";
import { CostWatch } from "./cost/cost-watch.ts";
import { checkOrders, doubtfulRooms, judge, type SentAccount } from "./ledger/verdict.ts";
import { nowUs } from "./load/clock.ts";
import { dealClients, type Layout, layOut, nameWorkers, shareFlows } from "./load/layout.ts";
import { LoadFleet } from "./load/load-fleet.ts";
import type { LoadAnswers, LoadResult, Patience } from "./load/load-messages.ts";
import { type ClientSpec, type LoadScript, longestConnectMs } from "./load/script.ts";
import { composeResult } from "./run-result.ts";
import type { Scenario } from "./scenario.ts";
import { Timeline } from "./timeline.ts";

export interface ScenarioRunOptions {
  readonly scenario: Scenario;
  readonly params: Params;
  readonly script: LoadScript;
  readonly target: Target;
  readonly loadProcesses: number;
  readonly loadLimits: LoadLimits;
  readonly settleQuietMs: number;
  readonly warmupMs: number;
  readonly measuredMs: number;
  readonly watch: RunWatch;
}

/** Clients are in: where they are and who hears whom. */
export interface Connected {
  readonly startUs: number;
  readonly answers: readonly LoadAnswers["connect"][];
  readonly workers: ReadonlyMap<number, string>;
  readonly layout: Layout;
}

/** Traffic is over. */
export interface TrafficTimes {
  readonly zeroUs: number;
  readonly measureFromUs: number;
  readonly stopUs: number;
  readonly chaosError: Error | undefined;
}

/** Chaos may take longer than the measured time, which then lasts until it is over; but not for ever. */
const MAX_CHAOS_MS = 120_000;
const MAX_SETTLE_MS = 60_000;
/** How long before its time a command is given, so that it reaches all processes in time. */
const HEAD_START_US = 300_000;
const GO_DEADLINE_MS = 20_000;
/** What connecting and settling are taken to last, for the progress bar. */
const EXPECTED_EXTRA_MS = 3000;

export class ScenarioRun {
  readonly #options: ScenarioRunOptions;
  readonly #timeline = new Timeline();
  readonly #fleet: LoadFleet;
  readonly #costs: CostWatch | undefined;
  readonly #begunUs = nowUs();
  #phase: RunPhase = "connecting";
  #ticker: NodeJS.Timeout | undefined;

  constructor(options: ScenarioRunOptions) {
    const { target, loadProcesses } = options;
    this.#options = options;
    this.#fleet = new LoadFleet(loadProcesses, (share, pulse) => this.#timeline.addPulse(share, pulse, nowUs()));
    this.#costs = target.pids === undefined ? undefined : new CostWatch(target.pids);
  }

  async run(): Promise<RunResult> {
    const startedAt = new Date();
    await this.#costs?.open();
    await this.#fleet.start();
    this.#tick();
    const connected = await this.#connect();
    const times = await this.#runTraffic(connected);
    const account = await this.#stopTraffic(times.stopUs);
    const results = await this.#settle(account);
    for (const { pulses } of results) this.#timeline.addSeconds(pulses);
    const orders = await this.#compareOrders(results);
    return composeResult({
      ...this.#options,
      startedAt,
      connected,
      times,
      results,
      verdict: judge(results, account, orders),
      costs: this.#costs,
      timeline: this.#timeline,
    });
  }

  async close(): Promise<void> {
    clearTimeout(this.#ticker);
    await this.#fleet.close();
  }

  async #connect(): Promise<Connected> {
    const { script, scenario } = this.#options;
    const parts = dealClients(script.clients, this.#fleet.size);
    const flowShares = shareFlows(parts, script.flows.length);
    const startUs = nowUs() + HEAD_START_US;
    const answers = await this.#fleet.askAll(
      "connect",
      (share) => ({
        startUs,
        assignment: {
          script: { ...script, clients: parts[share] as ClientSpec[] },
          mainLatency: scenario.mainLatency,
          share,
          shares: this.#fleet.size,
          flowShares: flowShares[share] ?? [],
        },
      }),
      longestConnectMs(script),
    );
    const workers = nameWorkers(
      script,
      answers.flatMap(({ slots }) => slots),
    );
    return { startUs, answers, workers, layout: layOut(scenario.reach, script.clients, workers) };
  }

  async #runTraffic({ layout }: Connected): Promise<TrafficTimes> {
    const { scenario, warmupMs, measuredMs } = this.#options;
    // Whole seconds of the machine's clock, so that the timeline's seconds begin with traffic.
    const zeroUs = Math.ceil((nowUs() + HEAD_START_US) / 1e6) * 1e6;
    const measureFromUs = zeroUs + warmupMs * 1000;
    const plannedEndUs = measureFromUs + measuredMs * 1000;
    const endUs = scenario.during === undefined ? plannedEndUs : Number.POSITIVE_INFINITY;
    await this.#fleet.askAll("go", () => ({ zeroUs, measureFromUs, endUs, ...layout }), GO_DEADLINE_MS);
    await this.#enter("warmup", zeroUs);
    await this.#enter("measuring", measureFromUs);
    await this.#costs?.beginMeasuring();
    const chaosError = await this.#doHarm(measureFromUs);
    const stopUs = Math.min(endUs, Math.max(plannedEndUs, nowUs() + HEAD_START_US));
    return { zeroUs, measureFromUs, stopUs, chaosError };
  }

  /** Runs the scenario's chaos; what goes wrong with it does not end the run, it voids it. */
  async #doHarm(measureFromUs: number): Promise<Error | undefined> {
    const { scenario, params, target } = this.#options;
    if (scenario.during === undefined) return undefined;
    const chaos = scenario.during(
      {
        control: target.control ?? {},
        at: (second) => this.#waitUntil(measureFromUs + second * 1e6),
        mark: (label) => this.#timeline.mark(label, nowUs()),
      },
      params,
    );
    return withDeadline(chaos, MAX_CHAOS_MS, `The chaos of "${scenario.name}"`).then(
      () => undefined,
      (error: unknown) => toError(error),
    );
  }

  /** Ends the measured time at `stopUs`, in all processes and for the costs, and collects what was sent. */
  async #stopTraffic(stopUs: number): Promise<SentAccount> {
    const remainingMs = (stopUs - nowUs()) / 1000;
    const [stopped] = await Promise.all([
      this.#fleet.askAll("stop", () => ({ atUs: stopUs, patience: this.#patience() }), remainingMs + MAX_SETTLE_MS),
      this.#enter("settling", stopUs).then(() => this.#endCosts(stopUs)),
    ]);
    const sent = new Int32Array(this.#options.script.clients.length);
    for (const [client, count] of stopped.flatMap((answer) => answer.sent)) sent[client] = count;
    return { sent, uncertain: stopped.flatMap((answer) => answer.uncertain) };
  }

  async #endCosts(stopUs: number): Promise<void> {
    if (this.#costs !== undefined) this.#timeline.addCost(await this.#costs.endMeasuring(), stopUs);
  }

  #settle(account: SentAccount): Promise<LoadResult[]> {
    return this.#fleet.askAll("settle", () => ({ ...account, patience: this.#patience() }), MAX_SETTLE_MS);
  }

  #patience(): Patience {
    return { quietMs: this.#options.settleQuietMs, maxMs: MAX_SETTLE_MS };
  }

  #compareOrders(results: readonly LoadResult[]) {
    return checkOrders(doubtfulRooms(results), async (room) => {
      const sequences = await this.#fleet.askAll("sequences", () => ({ room }), GO_DEADLINE_MS);
      return sequences.flat();
    });
  }

  async #enter(phase: RunPhase, atUs: number): Promise<void> {
    await this.#waitUntil(atUs);
    this.#phase = phase;
  }

  async #waitUntil(atUs: number): Promise<void> {
    const { signal } = this.#options.watch;
    await sleep(Math.max(0, (atUs - nowUs()) / 1000), undefined, { ...(signal !== undefined && { signal }) });
  }

  /** At the beginning of each second of the machine's clock: costs of the last one, and progress. */
  #tick(): void {
    this.#ticker = setTimeout(() => void this.#onSecond(), 1000 - ((nowUs() / 1000) % 1000));
  }

  async #onSecond(): Promise<void> {
    const atUs = nowUs();
    if (this.#costs !== undefined) this.#timeline.addCost(await this.#costs.sample(), atUs);
    this.#report(atUs);
    if (this.#fleet.state === "running") this.#tick();
  }

  #report(atUs: number): void {
    const { warmupMs, measuredMs, watch } = this.#options;
    const last = this.#timeline.lastSecond(atUs);
    watch.onProgress?.({
      phase: this.#phase,
      done: Math.min(0.99, (atUs - this.#begunUs) / 1000 / (warmupMs + measuredMs + EXPECTED_EXTRA_MS)),
      connected: last.connected,
      sentRate: last.sent,
      deliveredRate: last.delivered,
      p99Ms: last.p99Ms,
    });
  }
}
