// What the halves of the load test know of each other: the load side (load processes, ledger, scenarios) and the
// report side (servers, baselines, comparison, tables). Types only.
//
//   report side                                 load side
//   starts a Target, picks parameters  ------>  runScenario(plan, target, watch): Promise<RunResult>
//   prints, compares, draws            <------  Progress once a second, RunResult at the end

// ---------------------------------------------------------------------------------------------------------- target

/** What a process of the server under test is for. Costs and memory are reported by it. */
export type Role = "primary" | "socketWorker" | "cpu" | "redis";

/** All process ids of the server under test, now. */
export type PidsByRole = { readonly [R in Role]?: readonly number[] };

/** The server under test. Who made it stops it: `runScenario` never does. */
export interface Target {
  /** How it is called in tables: "allcores", "floor", "official". */
  readonly name: string;
  /**
   * Where clients connect, as `http://HOST:PORT`. Several addresses mean servers that share nothing (the floor):
   * every client of room R then goes to `urls[R % urls.length]`, whatever the placement.
   */
  readonly urls: readonly string[];
  /**
   * Asked about once a second, so that workers that were started again are seen. Leave it out when the processes are
   * not ours to look at (`--url`): costs and memory are then missing from the result.
   */
  readonly pids?: () => PidsByRole | Promise<PidsByRole>;
  /**
   * Whether it promises that all members of a room see one order. Where it does not, different orders are counted but
   * do not void the run: its speed could never be quoted otherwise.
   * @default true
   */
  readonly ordersRooms?: boolean;
  /** Only for targets that can be controlled; scenarios that need it say so in `needs`. */
  readonly control?: TargetControl;
}

export interface TargetControl {
  /** The deploy: a rolling reload, or a restart on the same port. Resolves when all is new, rejects when it failed. */
  readonly reload?: () => Promise<void>;
  /** SIGKILL to one socket worker. Resolves to its pid once it is dead; the server replaces it by itself. */
  readonly killWorker?: () => Promise<number>;
  readonly stop?: () => Promise<void>;
}

// -------------------------------------------------------------------------------------------------------- protocol

/**
 * Which events the app under test understands. Arguments are templates: any JSON value, in whose strings `$payload`,
 * `$room`, `$user`, `$target` and `$id` (another one for every message) are replaced. The payload is one ASCII string
 * that the app must pass on unchanged, as a string of its own anywhere in the event it emits: the ledger reads sender,
 * room, number and due time from it.
 *
 * `--app-protocol bench` (the default: `bench-app.ts`), `--app-protocol demo`, or the path of a JSON file of this shape.
 *
 * Clients speak WebSocket only, with the text frames of Engine.IO v4 and Socket.IO v5. A server without Socket.IO (the
 * raw `ws` baseline) has to answer the same frames: `0{"sid","pingInterval","pingTimeout"}` when a client connects,
 * `40{"sid"}` to its `40`, `43ID[...]` to a `42ID[...]`, and `42["msg",PAYLOAD]` to the members of a room.
 */
export interface AppProtocol {
  readonly name: string;
  /** Path of Engine.IO. @default "/socket.io/" */
  readonly path?: string;
  /** Further query parameters of the handshake request, as templates. */
  readonly query?: Readonly<Record<string, string>>;
  /** The `auth` object of the CONNECT packet, as a template. */
  readonly auth?: Readonly<Record<string, unknown>>;
  /** Whether the sender of a `publish` is among those it is passed on to. @default true */
  readonly sendersHear?: boolean;
  /** What a client does after CONNECT, and how each kind of traffic is sent. A missing one means: not supported. */
  readonly events: { readonly [K in ClientEvent]?: EventTemplate };
}

/**
 * - `join`: enter the room (`$room`). An ack, if asked for, is awaited.
 * - `hello`: ack with `{ slot }`, the worker's number, so that the balance over workers is seen.
 * - `publish`: send `$payload` to everybody in `$room`, the sender included.
 * - `direct`: send `$payload` to the user `$target`, on whichever worker.
 * - `broadcast`: send `$payload` to everybody.
 * - `echo`: ack with `$payload`.
 * - `ask`: ask all of `$room` with `$payload`, ack with the number of answers.
 * - `work`: `workMs` of CPU, then ack with `$payload`; `workPool` does the same on the pool.
 */
export type ClientEvent = "join" | "hello" | "publish" | "direct" | "broadcast" | "echo" | "ask" | "work" | "workPool";

export interface EventTemplate {
  readonly event: string;
  readonly args: readonly unknown[];
  /**
   * The app answers this event with an ack. `"always"`: and fails when none is asked for; otherwise publishes ask for
   * one only where the scenario has to know what was accepted.
   * @default false; always asked for by hello, echo, ask, work and workPool
   */
  readonly ack?: boolean | "always";
}

// ------------------------------------------------------------------------------------------------------- scenarios

export type ParamValue = number | string | boolean;
export type Params = Readonly<Record<string, ParamValue>>;

interface ParamBase {
  /** One sentence, with the unit. */
  readonly doc: string;
}

/** A parameter of a scenario; its flag is the name in kebab-case (`roomSize` is `--room-size`). */
export type ParamSpec =
  | (ParamBase & { readonly type: "integer"; readonly default: number; readonly min: number; readonly max: number })
  | (ParamBase & { readonly type: "choice"; readonly default: string; readonly values: readonly string[] })
  | (ParamBase & { readonly type: "boolean"; readonly default: boolean });

export type ParamTable = Readonly<Record<string, ParamSpec>>;

/** What `bench-app.ts` uses of the box. A baseline passes its own: `app.setup(io, { slot: 0 })`. */
export interface BenchBox {
  /** Number of the worker, told to clients on `hello`. */
  readonly slot: number;
  /** The pool. Without it `workPool` is answered inline. */
  readonly cpu?: { run(task: string, payload: unknown, options?: { deadlineMs?: number }): Promise<unknown> };
}

/** What a target must be able to do for a scenario to make sense. */
export type TargetNeed = "reload" | "killWorker";

/** How a scenario is listed; `runScenario` takes its name. */
export interface ScenarioInfo {
  readonly name: string;
  /** One line for `--list`. */
  readonly summary: string;
  readonly params: ParamTable;
  readonly needs: readonly TargetNeed[];
  /** Events that the app protocol must have. */
  readonly events: readonly ClientEvent[];
}

export interface ScenarioPlan {
  /** Name of a scenario, see `SCENARIOS`. */
  readonly scenario: string;
  /** Values that differ from the defaults. Unknown names and bad values are refused (ALLCORES_ERR_USAGE). */
  readonly params?: Params;
  /** @default the protocol of `bench-app.ts` */
  readonly protocol?: AppProtocol;
  /** @default 2 */
  readonly loadProcesses?: number;
  /** When the load side itself is called the bottleneck. */
  readonly loadLimits?: Partial<LoadLimits>;
  /**
   * After traffic, how long to wait for stragglers when nothing more arrives, in milliseconds. What has not come by
   * then counts as lost.
   * @default 5000
   */
  readonly settleQuietMs?: number;
  /** Allows addresses that are not loopback. @default false */
  readonly iOwnThisServer?: boolean;
}

export interface LoadLimits {
  /** Highest share of time, 0 to 1, that the loop of a load process may be busy in the measured time. @default 0.9 */
  readonly maxBusy: number;
  /** Highest 99th percentile, in milliseconds, of how late after its due time a message left. @default 50 */
  readonly maxLagMs: number;
}

export interface RunWatch {
  /** Called about once a second while the run goes on. */
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the run early; the promise then rejects with ALLCORES_ERR_BENCH. */
  readonly signal?: AbortSignal;
}

export type RunPhase = "connecting" | "warmup" | "measuring" | "settling";

export interface Progress {
  readonly phase: RunPhase;
  /** How much of the whole run is done, 0 to 1. */
  readonly done: number;
  readonly connected: number;
  /** Per second, in the last second. */
  readonly sentRate: number;
  readonly deliveredRate: number;
  /** Of the last second, in milliseconds; `undefined` when nothing arrived. */
  readonly p99Ms: number | undefined;
}

export type RunScenario = (plan: ScenarioPlan, target: Target, watch?: RunWatch) => Promise<RunResult>;

// ---------------------------------------------------------------------------------------------------------- result

export interface RunResult {
  readonly scenario: string;
  readonly target: string;
  /** All parameters, defaults included. */
  readonly params: Params;
  readonly protocol: string;
  readonly loadProcesses: number;
  /** ISO time at which it began. */
  readonly startedAt: string;
  /** Length of the measured time (after warm-up, before settling), in milliseconds. */
  readonly measuredMs: number;
  /** Why the speed figures may not be quoted. Empty: the run counts. */
  readonly voidReasons: readonly string[];
  /**
   * The load side kept up, and was done what had to be done. If the run is void all the same, it is for what the server
   * did, and figures that count `despiteLoss` are true.
   */
  readonly isBenchSound: boolean;
  /** All messages of the run, warm-up included. */
  readonly counts: Counts;
  readonly ledger: LedgerVerdict;
  /** Per second in the measured time, from due time to arrival. */
  readonly rates: { readonly sent: number; readonly delivered: number };
  /** The scenario's main latency, from due time: delivery, ack round trip, or time to CONNECT (connect, idle). */
  readonly latency: LatencySummary;
  /** Further latencies by name, such as `work` (cpu) or `connect`. */
  readonly latencies: Readonly<Record<string, LatencySummary>>;
  readonly connects: ConnectStats;
  /** Missing when the target's pids are unknown. */
  readonly cost?: ServerCost;
  readonly series: readonly SeriesPoint[];
  readonly marks: readonly Mark[];
  /** Numbers that only this scenario has, in the order to print them. */
  readonly figures: readonly Figure[];
  readonly load: LoadWatch;
}

export interface Counts {
  readonly sent: number;
  /** Arrivals that the ledger wanted: one for each member a message had, one for each ack that is a result. */
  readonly expected: number;
  /** Arrivals without duplicates. Acks count where they are the result: echo, ask, work. */
  readonly delivered: number;
  /** All acks, those of publishes included. */
  readonly acked: number;
}

export interface LedgerVerdict {
  /** Nothing lost, missed, repeated, out of order, stray or corrupt. */
  readonly ok: boolean;
  /** Accepted by the server and never seen by a member who was there or whose session was recovered. */
  readonly lost: number;
  /** Published while the member was away and its session was then not recovered. */
  readonly missed: number;
  readonly duplicates: number;
  /** Messages of one sender that overtook each other. */
  readonly senderOrder: number;
  /** Rooms whose members did not all see one and the same order. */
  readonly roomOrder: number;
  /** Arrived at somebody outside the room. */
  readonly stray: number;
  /** Payload changed on the way (read in full by sampled clients). */
  readonly corrupt: number;
  /** Sent, but not known to be accepted, because the connection broke before the ack: may arrive or not. */
  readonly uncertain: number;
  /** Clients that are read in full, and the first problems in words, at most 20. */
  readonly sampledClients: number;
  readonly examples: readonly string[];
}

/** In milliseconds. */
export interface LatencySummary {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly p9999: number;
  readonly max: number;
  /** Share of samples (0 to 1) at or below a value, for the percentile chart: `[percentile, milliseconds]`. */
  readonly curve: readonly (readonly [number, number])[];
}

export interface ConnectStats {
  readonly attempted: number;
  readonly connected: number;
  /** No CONNECT reply within the bound: neither served nor answered nor closed. */
  readonly hung: number;
  /** Answered with an error, refused or closed before CONNECT. Counted per attempt. */
  readonly refused: number;
  /** Connections per second while they were being made. */
  readonly rate: number;
  /** Connections by worker, as far as the app tells its slot: `"0"`, `"1"`; with several urls `"url:slot"`. */
  readonly byWorker: Readonly<Record<string, number>>;
  /** Returns after a break: how many, and how many of them were recovered by the server. */
  readonly returns: number;
  readonly recovered: number;
}

export interface ServerCost {
  /** CPU microseconds (user + system, reaped children included) in the measured time, by role. */
  readonly cpuUs: RoleFigures;
  /** The same per delivered message; 0 when none was delivered. */
  readonly cpuUsPerMessage: RoleFigures;
  /** read and write system calls (`syscr + syscw`) per delivered message. */
  readonly syscallsPerMessage: RoleFigures;
  /** Bytes, highest seen. */
  readonly rssBytes: RoleFigures;
  /** Bytes at the end of the measured time; shared pages are split. Missing where /proc does not tell. */
  readonly pssBytes: RoleFigures;
  /** Milliseconds per second in which a process was ready but waited for a core. */
  readonly runQueueMsPerSecond: RoleFigures;
}

/** One number a role, and all together. A role without processes is missing. */
export type RoleFigures = { readonly [R in Role]?: number } & { readonly total: number };

/** One second of the run; `second` 0 is the start of traffic (warm-up included), negative ones are connecting. */
export interface SeriesPoint {
  readonly second: number;
  readonly connected: number;
  readonly sent: number;
  readonly delivered: number;
  /** `undefined` when nothing arrived in this second. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly maxMs: number | undefined;
  /** CPU of the server in this second, in milliseconds by role. */
  readonly cpuMs?: RoleFigures;
  readonly rssBytes?: RoleFigures;
  /** Busiest load process, 0 to 1. */
  readonly loadBusy: number;
}

/** Something that happened on purpose: "worker 4711 killed", "reload began". */
export interface Mark {
  /** Seconds since the start of traffic. */
  readonly atSecond: number;
  readonly label: string;
}

export interface Figure {
  /** Stable, camelCase: `gapP99Ms`. */
  readonly name: string;
  /** For people: "longest gap, p99". */
  readonly label: string;
  readonly value: number;
  /** "ms", "MB", "%", "" */
  readonly unit: string;
  readonly better: "lower" | "higher" | "neither";
  /** It says what clients went through, and is as true when the server lost messages. Speed and cost never are. */
  readonly despiteLoss?: true;
}

/** How the load side itself did, by load process. */
export interface LoadWatch {
  /** Busiest loop in the measured time, 0 to 1. */
  readonly maxBusy: number;
  /** 99th percentile of how late messages left, in milliseconds, of the worst load process. */
  readonly lagP99Ms: number;
  readonly maxLagMs: number;
  readonly cpuMs: number;
  /** Milliseconds per second in which a load process waited for a core. */
  readonly runQueueMsPerSecond: number;
}
