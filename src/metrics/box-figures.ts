// What the parts of the primary say about themselves when somebody looks, as metrics.

import { VERSION } from "../bus/build.ts";
import type { BoxState, PresenceStatus, RedisStatus, WorkerState } from "../primary/status.ts";
import { family, type MetricFamily, single, stateSamples } from "./family.ts";

const BOX_STATES: readonly BoxState[] = ["starting", "running", "draining"];
const WORKER_STATES: readonly WorkerState[] = ["starting", "ready", "draining", "gone"];
const REDIS_STATES: readonly RedisStatus["state"][] = ["connected", "connecting", "down"];

/** The link to Redis. The counts are totals since the box started. */
export interface RedisFigures {
  readonly state: RedisStatus["state"];
  readonly published: number;
  readonly received: number;
  readonly dropped: number;
  readonly reconnects: number;
}

export interface BoxFigures {
  readonly state: BoxState;
  readonly startedAtMs: number;
  readonly workers: readonly { readonly slot: number; readonly state: WorkerState }[];
  /** Connections that the router has and no worker has yet. */
  readonly routerWaiting: number;
  readonly presence: PresenceStatus;
  /** `null` when the box was started without Redis. */
  readonly redis: RedisFigures | null;
}

export function boxFamilies(figures: BoxFigures): MetricFamily[] {
  const { state, startedAtMs, workers, routerWaiting, presence, redis } = figures;
  return [
    single("allcores_build_info", 1, { version: VERSION, node: process.version }),
    single("allcores_start_time_seconds", startedAtMs / 1000),
    family("allcores_box_state", stateSamples(BOX_STATES, state)),
    family(
      "allcores_worker_state",
      workers.flatMap((worker) => stateSamples(WORKER_STATES, worker.state, { slot: worker.slot })),
    ),
    single("allcores_router_waiting", routerWaiting),
    single("allcores_presence_members", presence.members),
    single("allcores_presence_rooms", presence.rooms),
    ...(redis === null ? [] : redisFamilies(redis)),
  ];
}

function redisFamilies({ state, published, received, dropped, reconnects }: RedisFigures): MetricFamily[] {
  return [
    family("allcores_redis_state", stateSamples(REDIS_STATES, state)),
    single("allcores_redis_published_total", published),
    single("allcores_redis_received_total", received),
    single("allcores_redis_dropped_total", dropped),
    single("allcores_redis_reconnects_total", reconnects),
  ];
}
