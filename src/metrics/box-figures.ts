// What the parts of the primary say about themselves when somebody looks, as metrics.

import { VERSION } from "../bus/build.ts";
import { type HistogramCounts, TASK_BUCKETS_MS, type TaskTotals } from "../bus/cpu-messages.ts";
import type { HubStats } from "../hub/hub.ts";
import type { BoxState, PresenceStatus, RedisStatus, WorkerState } from "../primary/status.ts";
import { histogramSamples } from "./bucket-histogram.ts";
import { family, type MetricFamily, single, stateSamples } from "./family.ts";
import type { MetricName } from "./table.ts";

const BOX_STATES: readonly BoxState[] = ["starting", "running", "draining"];
const WORKER_STATES: readonly WorkerState[] = ["starting", "ready", "draining", "gone"];
const REDIS_STATES: readonly RedisStatus["state"][] = ["connected", "connecting", "down"];

/** The link to Redis. The counts are totals since the box started. */
export interface RedisFigures {
  readonly state: RedisStatus["state"];
  readonly published: number;
  readonly received: number;
  readonly dropped: number;
  readonly queuedBytes: number;
  readonly reconnects: number;
}

/** The CPU pool. `restarts` and `totals` are of all cpu processes that the box has had. */
export interface PoolFigures {
  readonly queued: number;
  readonly running: number;
  readonly threads: number;
  readonly restarts: number;
  readonly totals: TaskTotals;
}

/** What is counted for the limits of connections. */
export interface AdmissionFigures {
  readonly counted: number;
  readonly addresses: number;
}

export interface BoxFigures {
  readonly state: BoxState;
  readonly startedAtMs: number;
  readonly workers: readonly { readonly slot: number; readonly state: WorkerState; readonly stalledMs: number }[];
  /** Connections that the router has and no worker has yet. */
  readonly routerWaiting: number;
  readonly admission: AdmissionFigures;
  readonly pool: PoolFigures;
  readonly presence: PresenceStatus;
  /** `null` when the box was started without Redis. */
  readonly redis: RedisFigures | null;
  /** `null` with `bus: "ipc"`. */
  readonly hub: HubStats | null;
}

export function boxFamilies(figures: BoxFigures): MetricFamily[] {
  const { state, startedAtMs, workers, routerWaiting, admission, pool, presence, redis, hub } = figures;
  return [
    single("allcores_build_info", 1, { version: VERSION, node: process.version }),
    single("allcores_start_time_seconds", startedAtMs / 1000),
    family("allcores_box_state", stateSamples(BOX_STATES, state)),
    family(
      "allcores_worker_state",
      workers.flatMap((worker) => stateSamples(WORKER_STATES, worker.state, { slot: worker.slot })),
    ),
    family(
      "allcores_worker_stalled_seconds",
      workers.map(({ slot, stalledMs }) => ({ labels: { slot }, value: stalledMs / 1000 })),
    ),
    single("allcores_router_waiting", routerWaiting),
    single("allcores_admission_connections", admission.counted),
    single("allcores_admission_addresses", admission.addresses),
    single("allcores_presence_members", presence.members),
    single("allcores_presence_rooms", presence.rooms),
    ...poolFamilies(pool),
    ...(redis === null ? [] : redisFamilies(redis)),
    ...(hub === null ? [] : hubFamilies(hub)),
  ];
}

function poolFamilies({ queued, running, threads, restarts, totals }: PoolFigures): MetricFamily[] {
  const outcomes = Object.entries(totals.outcomes).map(([outcome, value]) => ({ labels: { outcome }, value }));
  return [
    single("allcores_pool_queued", queued),
    single("allcores_pool_running", running),
    single("allcores_pool_threads", threads),
    single("allcores_pool_restarts_total", restarts),
    family("allcores_pool_tasks_total", outcomes),
    taskHistogram("allcores_pool_wait_seconds", totals.waitMs),
    taskHistogram("allcores_pool_run_seconds", totals.runMs),
  ];
}

function taskHistogram(name: MetricName, { counts, sum }: HistogramCounts): MetricFamily {
  const bounds = TASK_BUCKETS_MS.map((ms) => ms / 1000);
  return family(name, histogramSamples(name, bounds, counts, sum / 1000));
}

function redisFamilies({ state, published, received, dropped, queuedBytes, reconnects }: RedisFigures): MetricFamily[] {
  return [
    family("allcores_redis_state", stateSamples(REDIS_STATES, state)),
    single("allcores_redis_published_total", published),
    single("allcores_redis_received_total", received),
    single("allcores_redis_dropped_total", dropped),
    single("allcores_redis_queued_bytes", queuedBytes),
    single("allcores_redis_reconnects_total", reconnects),
  ];
}

function hubFamilies({ sequence, logBytes, logMessages, detached, rooms, openQuestions }: HubStats): MetricFamily[] {
  return [
    single("allcores_hub_ordered_total", sequence),
    single("allcores_hub_log_bytes", logBytes),
    single("allcores_hub_log_messages", logMessages),
    single("allcores_hub_waiting_sessions", detached),
    single("allcores_hub_rooms", rooms),
    single("allcores_hub_open_questions", openQuestions),
  ];
}
