// One load process's part of a run: connect, go, stop, settle, in that order, each when the parent says so.

import { setTimeout as sleep } from "node:timers/promises";
import { RoomLedger, type UncertainKeys } from "../ledger/room-ledger.ts";
import { indexSenders } from "../ledger/sender-index.ts";
import { Arrivals, SAMPLE_EVERY } from "./arrivals.ts";
import { nowUs } from "./clock.ts";
import { Flows } from "./flows.ts";
import { Lives } from "./lives.ts";
import { LoadClient } from "./load-client.ts";
import type { LoadAnswers, LoadAssignment, LoadCommands, LoadResult, Patience, Traffic } from "./load-messages.ts";
import { shuffle } from "./rotation.ts";
import { GAP_LATENCY, type Pulse, RunStats } from "./run-stats.ts";
import { Schedule } from "./schedule.ts";
import type { LoadScript } from "./script.ts";
import { type SelfReport, SelfWatch } from "./self-watch.ts";

const TICK_MS = 1;
const LOOK_MS = 20;
const ALL_AT_ONCE = 1e9;

interface Running {
  readonly ledger: RoomLedger;
  readonly lives: Lives;
  readonly flows: Flows;
}

export class LoadRun {
  readonly #assignment: LoadAssignment;
  readonly #script: LoadScript;
  readonly #stats: RunStats;
  readonly #arrivals: Arrivals;
  readonly #clients: readonly LoadClient[];
  readonly #watch = new SelfWatch();
  #running: Running | undefined;
  #selfReport: SelfReport | undefined;

  constructor(assignment: LoadAssignment) {
    const { script, mainLatency } = assignment;
    this.#assignment = assignment;
    this.#script = script;
    this.#stats = new RunStats(mainLatency);
    this.#arrivals = new Arrivals(script, this.#stats);
    const urls = script.urls.map((url) => new URL(url));
    this.#clients = script.clients.map((spec) => new LoadClient(spec, script, urls[spec.url] as URL, this.#arrivals));
  }

  /** Connects all clients that are there from the start, and waits until each is in or has given up. */
  async connect(startUs: number): Promise<LoadAnswers["connect"]> {
    const first = this.#clients.filter(isThereFromStart);
    const { share, shares } = this.#assignment;
    const turns = new Schedule(this.#script.connectsPerSecond || ALL_AT_ONCE, share, shares, startUs);
    let next = 0;
    while (next < first.length) {
      const dueUs = turns.take(nowUs());
      if (dueUs === undefined) await sleep(TICK_MS);
      else first[next++]?.connect(dueUs);
    }
    while (!first.every(({ state }) => state === "ready" || state === "gone")) await sleep(LOOK_MS);
    return {
      ready: first.filter(({ state }) => state === "ready").length,
      lastReadyUs: this.#arrivals.lastReadyUs,
      slots: [...this.#arrivals.slots],
    };
  }

  /** Begins traffic at `zeroUs`. */
  go({ zeroUs, measureFromUs, endUs, homes, sendRooms }: Traffic): null {
    const ledger = new RoomLedger(indexSenders(sendRooms), {
      sendersHear: this.#script.protocol.sendersHear ?? true,
    });
    const lives = new Lives(ledger, zeroUs);
    const flows = new Flows({
      script: this.#script,
      clients: this.#clients,
      flowShares: this.#assignment.flowShares,
      zeroUs,
      endUs,
      sendRooms,
      maySend: (client) => maySend(client) && !lives.isLeaving(client),
      onLag: (us, dueUs) => {
        if (this.#stats.isMeasured(dueUs)) this.#watch.recordLag(us);
      },
    });
    this.#running = { ledger, lives, flows };
    this.#arrivals.begin({ zeroUs, ledger, membersOf: countMembers(homes) });
    this.#stats.measureFrom(measureFromUs);
    this.#enterLedger(ledger, homes, measureFromUs);
    this.#planLives(lives);
    setTimeout(() => this.#watch.begin(), (measureFromUs - nowUs()) / 1000);
    setTimeout(() => flows.start(), (zeroUs - nowUs()) / 1000);
    return null;
  }

  /** Ends traffic and the measured time at `atUs`, then waits until what is under way has left. */
  async stop({ atUs, patience }: LoadCommands["stop"]): Promise<LoadAnswers["stop"]> {
    const { lives, flows } = this.#begun();
    flows.endAt(atUs);
    await sleep((atUs - nowUs()) / 1000);
    flows.stop();
    lives.stop();
    this.#selfReport = this.#watch.report();
    this.#endGaps(atUs);
    this.#stats.measureUntil(atUs);
    await this.#waitUntil(() => !this.#clients.some(hasWorkLeft), patience);
    for (const client of this.#clients) client.outbox.dropWaiting();
    return {
      sent: this.#clients.map((client) => [client.spec.id, client.outbox.sent] as const),
      uncertain: this.#arrivals.uncertain,
    };
  }

  /** Waits until everything that was sent has arrived, as long as patience lasts, and gives the final account. */
  async settle({ sent, uncertain, patience }: LoadCommands["settle"]): Promise<LoadResult> {
    const { ledger, flows } = this.#begun();
    const keys: UncertainKeys = new Set(uncertain);
    await this.#waitUntil(() => ledger.outstanding(sent, keys) === 0, patience);
    const away = new Set(this.#clients.filter(({ state }) => state !== "ready").map(({ spec }) => spec.id));
    return {
      stats: this.#stats.report(),
      arrivals: this.#arrivals.report(),
      ledger: ledger.report(sent, keys, (client) => away.has(client)),
      self: this.#selfReport ?? this.#watch.report(),
      openAcks: this.#clients.reduce((sum, { outbox }) => sum + outbox.acks.size, 0),
      unsent: flows.unsent,
      notReturned: this.#clients.filter((client) => client.hasBeenReady && hasVanished(client)).length,
      sampledClients: this.#clients.filter(({ spec }) => spec.id % SAMPLE_EVERY === 0).length,
      pulses: this.#stats.takePulses(Number.POSITIVE_INFINITY),
    };
  }

  sequences(room: number): readonly Float64Array[] {
    return this.#begun().ledger.sequences(room);
  }

  takePulse(): { pulses: Pulse[]; connected: number; busy: number } {
    return {
      pulses: this.#stats.takePulses(Math.floor(nowUs() / 1e6)),
      connected: this.#clients.reduce((count, { state }) => count + (state === "ready" ? 1 : 0), 0),
      busy: this.#watch.busySinceLast(),
    };
  }

  #enterLedger(ledger: RoomLedger, homes: Int32Array, measureFromUs: number): void {
    for (const client of this.#clients) {
      client.lastArrivalUs = measureFromUs;
      const home = homes[client.spec.id] as number;
      if (home >= 0 && client.state === "ready") client.member = ledger.join(client.spec.id, home, "start");
    }
  }

  #planLives(lives: Lives): void {
    const { outages } = this.#script;
    for (const client of this.#clients) lives.plan(client, nowUs());
    if (outages === undefined) return;
    const dropping = shuffle(this.#clients.filter(isThereFromStart));
    for (const [place, client] of dropping.entries()) {
      lives.planOutages(client, outages, (place + 1) / dropping.length);
    }
  }

  #endGaps(atUs: number): void {
    for (const client of this.#clients) {
      if (client.member === undefined || client.member.hasLeft) continue;
      this.#arrivals.noteGap(client, Math.max(atUs, client.lastArrivalUs));
      this.#stats.time(GAP_LATENCY, client.longestGapUs);
    }
  }

  async #waitUntil(isDone: () => boolean, { quietMs, maxMs }: Patience): Promise<void> {
    const begunUs = nowUs();
    while (!isDone()) {
      const quietSinceUs = Math.max(begunUs, this.#arrivals.lastArrivalUs);
      if (nowUs() > quietSinceUs + quietMs * 1000 || nowUs() > begunUs + maxMs * 1000) return;
      await sleep(LOOK_MS);
    }
  }

  #begun(): Running {
    if (this.#running === undefined) throw new Error("Traffic has not begun.");
    return this.#running;
  }
}

function countMembers(homes: Int32Array): (room: number) => number {
  const counts = new Map<number, number>();
  for (const home of homes) counts.set(home, (counts.get(home) ?? 0) + 1);
  return (room) => counts.get(room) ?? 0;
}

function isThereFromStart({ spec }: LoadClient): boolean {
  return spec.bornMs === undefined;
}

function maySend(client: LoadClient): boolean {
  return client.state !== "gone" && (isThereFromStart(client) || client.hasBeenReady);
}

function hasWorkLeft(client: LoadClient): boolean {
  return !client.outbox.isDone || client.state === "away";
}

/** It did not leave on purpose, and is not there. */
function hasVanished({ state, spec, member }: LoadClient): boolean {
  if (state === "gone") return member?.hasLeft !== true && spec.diesMs === undefined;
  return state !== "ready";
}
