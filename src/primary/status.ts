// What a box says about itself at one moment: the answer of /api/status, `allcores status --json` and `allcores top`.
// Plain JSON. A field may be added in any version; none changes its meaning.

export interface BoxStatus {
  /** Process id of the primary. */
  readonly pid: number;
  /** Version of allcores. */
  readonly version: string;
  /** `starting` until the first worker is ready, `draining` from the first SIGTERM on. */
  readonly state: BoxState;
  /** Where clients connect, as `http://HOST:PORT`. */
  readonly url: string;
  /** Where the admin listener is, as `http://HOST:PORT`. */
  readonly adminUrl: string;
  /** ISO 8601 time at which the primary started. */
  readonly startedAt: string;
  /** How workers exchange messages: the option `bus`. */
  readonly bus: "box" | "ipc";
  /** One entry a slot, in order of slots. */
  readonly workers: readonly WorkerStatus[];
  readonly cpu: CpuStatus;
  /** `null` when the box was started without Redis. */
  readonly redis: RedisStatus | null;
  readonly presence: PresenceStatus;
  readonly traffic: TrafficTotals;
}

export type BoxState = "starting" | "running" | "draining";
export type WorkerState = "starting" | "ready" | "draining" | "gone";

export interface WorkerStatus {
  readonly slot: number;
  /** Goes up by one each time the slot is filled again. */
  readonly incarnation: number;
  /** `null` while the slot waits to be filled again. */
  readonly pid: number | null;
  readonly state: WorkerState;
  /** Open connections of clients. */
  readonly connections: number;
  /** How often this slot was filled again since the box started. */
  readonly restarts: number;
  /** Worst lag of the event loop in the last second or two, in milliseconds. */
  readonly loopLagMs: number;
  /** Resident memory of the process, in bytes; 0 until the worker reported it. */
  readonly memoryBytes: number;
  /** How long ago it last reported, or was forked, in milliseconds. One that is well reports every `LOAD_INTERVAL_MS`. */
  readonly silentMs: number;
  /** How long it has not read what is sent to it, in milliseconds; 0 while it reads. */
  readonly stalledMs: number;
}

export interface CpuStatus {
  /** `null` while there is no cpu process. */
  readonly pid: number | null;
  /** `off` when the app has no tasks; `gone` while the process is being forked again. */
  readonly state: "off" | "starting" | "ready" | "draining" | "gone";
  /** Tasks waiting for a thread. */
  readonly queued: number;
  /** Tasks on a thread. */
  readonly running: number;
  readonly threads: number;
}

export interface RedisStatus {
  readonly state: "connected" | "connecting" | "down";
  /** One sentence for people: since when, and what the last error was. */
  readonly detail: string;
}

export interface PresenceStatus {
  /** Members that are here, all rooms together. */
  readonly members: number;
  readonly rooms: number;
}

/** Totals since the box started. They never go down, so the difference of two reports is a rate. */
export interface TrafficTotals {
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly connects: number;
  readonly disconnects: number;
  readonly errors: number;
}

/** Past this a worker is hung, not busy. */
const HUNG_AFTER_MS = 10_000;

/** Whether the box can serve: it runs, and at least one worker is ready and its loop turns. */
export function isWell({ state, workers }: BoxStatus): boolean {
  return state === "running" && workers.some((worker) => worker.state === "ready" && worker.silentMs < HUNG_AFTER_MS);
}
