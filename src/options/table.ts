// The one table of options. From it come the flags, the environment names, the checks, `allcores config`,
// the README's table (a test keeps them equal) and the type `Options`. A new option is one row here.
//
// Names are GROUP.NAME or NAME. The flag is the name in kebab-case (`--cpu-max-queue`), the environment variable the
// same in capitals behind ALLCORES_ (`ALLCORES_CPU_MAX_QUEUE`), unless the row says otherwise.

import { availableParallelism } from "node:os";

interface RowBase {
  /** What it does and what happens at the edges, one or two sentences, in the README too. */
  readonly doc: string;
  /** The environment variable, where it is not the ALLCORES_ one. */
  readonly env?: string;
  /** Never printed; can also be read from the file named by `<ENV>_FILE`. */
  readonly secret?: true;
}

export interface IntegerRow extends RowBase {
  readonly type: "integer";
  /** A function where the machine decides. */
  readonly default: number | (() => number);
  readonly min: number;
  readonly max: number;
}

export interface BooleanRow extends RowBase {
  readonly type: "boolean";
  readonly default: boolean;
}

export interface StringRow extends RowBase {
  readonly type: "string";
  /** Empty means "not set". */
  readonly default: string;
}

export interface ListRow extends RowBase {
  /** Comma-separated in flags and environment, an array of strings in a file. */
  readonly type: "list";
  /** The words that may be in the list, at least one of them. Without it: any words, or none. */
  readonly values?: readonly string[];
  readonly default: readonly string[];
}

export interface ChoiceRow<T extends string = string> extends RowBase {
  readonly type: "choice";
  readonly values: readonly T[];
  readonly default: T;
}

export type Row = IntegerRow | BooleanRow | StringRow | ListRow | ChoiceRow;

const MINUTE_MS = 60_000;

export const OPTION_TABLE = {
  port: {
    type: "integer",
    default: 3000,
    min: 0,
    max: 65_535,
    env: "PORT",
    doc: "Port that clients connect to. 0 takes a free one, which the ready line names.",
  },
  host: { type: "string", default: "0.0.0.0", env: "HOST", doc: "Address to listen on." },
  workers: {
    type: "integer",
    default: availableParallelism,
    min: 1,
    max: 1024,
    env: "WEB_CONCURRENCY",
    doc: "Number of socket workers. Default: one per core the process may use.",
  },
  bus: {
    type: "choice",
    values: ["box", "ipc"],
    default: "box",
    doc: "How workers exchange messages: allcores' own hub, or the official cluster adapter over Node's IPC.",
  },
  logLevel: {
    type: "choice",
    values: ["silent", "error", "warn", "info", "debug"],
    default: "info",
    env: "LOG_LEVEL",
    doc: "Least important log line that is written. Logs go to stderr.",
  },
  redisUrl: {
    type: "string",
    default: "",
    env: "REDIS_URL",
    secret: true,
    doc: "Redis that links several boxes, as redis:// or rediss:// URL. Empty: this box is alone and needs no Redis.",
  },
  "redis.prefix": {
    type: "string",
    default: "socket.io",
    doc: "Start of the names of the Redis channels. Same meaning and default as `key` of @socket.io/redis-adapter.",
  },
  "redis.maxQueueBytes": {
    type: "integer",
    default: 16_777_216,
    min: 65_536,
    max: 1_073_741_824,
    doc: "Most bytes of messages waiting for a slow Redis. Past it new ones are not sent to other boxes, and counted.",
  },
  adminPort: {
    type: "integer",
    default: 9400,
    min: 0,
    max: 65_535,
    doc: "Port of the admin listener; it also names the box's control socket. 0 takes a free one.",
  },
  adminHost: {
    type: "string",
    default: "127.0.0.1",
    doc: "Address of the admin listener. Anything but a loopback address needs admin.token.",
  },
  "admin.token": {
    type: "string",
    default: "",
    secret: true,
    doc: "Bearer token that the admin listener asks for. Empty: none, which only a loopback address may have.",
  },
  "router.maxHeadBytes": {
    type: "integer",
    default: 16_384,
    min: 1024,
    max: 65_536,
    doc: "Longest request head. A longer one is answered 431.",
  },
  "router.headTimeoutMs": {
    type: "integer",
    default: 10_000,
    min: 100,
    max: MINUTE_MS * 10,
    doc: "Longest time a client may take to send its request head. A slower one is answered 408.",
  },
  "router.keepAliveTimeoutMs": {
    type: "integer",
    default: 75_000,
    min: 1,
    max: MINUTE_MS * 60,
    doc: "Longest time a connection may be idle between two requests. Keep it above your proxy's, or requests meet connections that close.",
  },
  "router.workerWaitMs": {
    type: "integer",
    default: 10_000,
    min: 0,
    max: MINUTE_MS * 10,
    doc: "How long a connection waits for a worker, when none is ready or others come first. After that it is answered 503.",
  },
  "router.maxPending": {
    type: "integer",
    default: 10_000,
    min: 1,
    max: 1_000_000,
    doc: "Most connections whose head is being read or that wait for a worker. One more is answered 503.",
  },
  trustProxy: {
    type: "list",
    default: [],
    doc: "Addresses and networks (10.0.0.0/8) of your reverse proxies. They are believed when they say who the client is, by X-Forwarded-For or as proxyProtocol has it. Empty: nobody is.",
  },
  proxyProtocol: {
    type: "boolean",
    default: false,
    doc: "Every connection from a trustProxy address begins with a header of the PROXY protocol, v1 or v2; one that does not is closed. Connections from other addresses may not have it.",
  },
  affinityQuery: {
    type: "string",
    default: "",
    doc: "Query parameter that keeps clients together: those with the same value go to one worker. Empty: none. Not looked at when the app has an `affinity` function.",
  },
  "supervisor.startTimeoutMs": {
    type: "integer",
    default: 30_000,
    min: 100,
    max: MINUTE_MS * 30,
    doc: "How long a worker may take to become ready before it counts as crashed.",
  },
  "supervisor.minRestartDelayMs": {
    type: "integer",
    default: 100,
    min: 1,
    max: MINUTE_MS,
    doc: "Wait before a crashed worker is forked again. Doubles with every further crash in a row.",
  },
  "supervisor.maxRestartDelayMs": {
    type: "integer",
    default: 10_000,
    min: 1,
    max: MINUTE_MS * 60,
    doc: "Longest wait between two restarts of a worker.",
  },
  "supervisor.stableAfterMs": {
    type: "integer",
    default: 10_000,
    min: 1,
    max: MINUTE_MS * 60,
    doc: "A worker that has served this long starts again from the shortest restart delay when it crashes.",
  },
  "supervisor.hangTimeoutMs": {
    type: "integer",
    default: 10_000,
    min: 1000,
    max: MINUTE_MS * 60,
    doc: "A worker whose event loop does not turn for this long hangs: it is killed and its slot filled again.",
  },
  "supervisor.stallTimeoutMs": {
    type: "integer",
    default: 10_000,
    min: 1000,
    max: MINUTE_MS * 60,
    doc: "A worker for which messages wait, and that has taken none of them for this long, is killed and its slot filled again.",
  },
  "supervisor.stallMaxBytes": {
    type: "integer",
    default: 67_108_864,
    min: 16_777_216,
    max: 4_294_967_296,
    doc: "Most bytes of messages that wait for one process of the box. Past it the process is killed and replaced at once.",
  },
  "supervisor.maxWorkerMemoryMb": {
    type: "integer",
    default: 0,
    min: 0,
    max: 1_048_576,
    doc: "Resident memory of a worker past which it is replaced as by a reload, so that no client notices. 0: no limit.",
  },
  "supervisor.crashLoopAfter": {
    type: "integer",
    default: 10,
    min: 1,
    max: 1000,
    doc: "After so many crashes in a row a worker counts as in a crash loop and pauses for supervisor.crashLoopPauseMs.",
  },
  "supervisor.crashLoopPauseMs": {
    type: "integer",
    default: MINUTE_MS,
    min: 1,
    max: MINUTE_MS * 60,
    doc: "Wait before each further restart of a worker in a crash loop. A successful reload ends it.",
  },
  "supervisor.drainTimeoutMs": {
    type: "integer",
    default: 15_000,
    min: 0,
    max: MINUTE_MS * 60,
    doc: "How long a stop waits for requests and tasks in flight. After that the box ends anyway.",
  },
  "reload.surge": {
    type: "integer",
    default: 0,
    min: 0,
    max: 1024,
    doc: "Slots that a reload replaces at a time: so many more processes run meanwhile. 0: all, so that the old code serves on everywhere if the new one fails anywhere. Fewer need less memory, and what was through keeps the new code.",
  },
  "reload.probationMs": {
    type: "integer",
    default: 3000,
    min: 0,
    max: MINUTE_MS * 60,
    doc: "How long a new worker must live with new clients before the old one lets its clients go. If it ends before, the old one serves on.",
  },
  "reload.batchSize": {
    type: "integer",
    default: 100,
    min: 1,
    max: 1_000_000,
    doc: "Most clients that a draining worker moves in one reload.windowMs. More when the drain's deadline asks for it.",
  },
  "reload.windowMs": {
    type: "integer",
    default: 200,
    min: 0,
    max: MINUTE_MS,
    doc: "Time over which a batch of clients is moved, each at a random moment of it, so that they do not come back as one wave.",
  },
  "cpu.threads": {
    type: "integer",
    default: availableParallelism,
    min: 1,
    max: 1024,
    env: "ALLCORES_CPU_THREADS",
    doc: "Threads of the CPU pool, for the whole box. Default: one per core the process may use.",
  },
  "cpu.maxQueue": {
    type: "integer",
    default: 1000,
    min: 0,
    max: 1_000_000,
    doc: "Most tasks waiting for a thread. One more is refused at once with ALLCORES_ERR_POOL_SATURATED.",
  },
  "cpu.maxQueueBytes": {
    type: "integer",
    default: 134_217_728,
    min: 65_536,
    max: 4_294_967_296,
    doc: "Most bytes of payloads waiting for a thread. One task more is refused like one over cpu.maxQueue.",
  },
  "cpu.deadlineMs": {
    type: "integer",
    default: 30_000,
    min: 1,
    max: MINUTE_MS * 60,
    doc: "Deadline of a task that was given none.",
  },
  "cpu.hangTimeoutMs": {
    type: "integer",
    default: 10_000,
    min: 2000,
    max: MINUTE_MS * 10,
    doc: "A cpu process that says nothing for this long hangs: it is killed and forked again.",
  },
  "cpu.maxThreadMemoryMb": {
    type: "integer",
    default: 256,
    min: 16,
    max: 65_536,
    doc: "Heap limit of one pool thread. A task that outgrows it fails, and the thread is replaced.",
  },
  "cpu.maxPayloadBytes": {
    type: "integer",
    default: 8_388_608,
    min: 1024,
    max: 268_435_456,
    doc: "Largest payload or result of a task.",
  },
  "presence.graceMs": {
    type: "integer",
    default: 5000,
    min: 0,
    max: MINUTE_MS * 10,
    doc: "How long a user whose last connection dropped still counts as here, so that a reconnect makes no noise.",
  },
  "presence.maxMembers": {
    type: "integer",
    default: 100_000,
    min: 1,
    max: 10_000_000,
    doc: "Most presence entries of the box: one for each socket in each room. One more is refused with ALLCORES_ERR_PRESENCE_FULL.",
  },
  "presence.maxNameLength": {
    type: "integer",
    default: 256,
    min: 1,
    max: 65_536,
    doc: "Longest name of a user or room of presence, in characters. A longer one is refused with ALLCORES_ERR_PRESENCE_REFUSED.",
  },
  "presence.maxInfoBytes": {
    type: "integer",
    default: 1024,
    min: 2,
    max: 1_048_576,
    doc: "Most bytes of JSON that may be known about a user. More is refused with ALLCORES_ERR_PRESENCE_REFUSED.",
  },
  "hub.flushIntervalMs": {
    type: "integer",
    default: 8,
    min: 0,
    max: 100,
    doc: "While 8 or more messages come in so many milliseconds, until fewer than 4 do, the hub works in rounds of this length (half of it where 64 come): it takes and passes on all that has come meanwhile. Workers wait half as long, for 6. Where fewer come, none waits. 0: none ever does.",
  },
  "recovery.windowMs": {
    type: "integer",
    default: 120_000,
    min: 1000,
    max: MINUTE_MS * 60,
    doc: "How long the hub keeps messages and sessions for clients that lost their connection (`bus: box`).",
  },
  "recovery.maxLogBytes": {
    type: "integer",
    default: 67_108_864,
    min: 1_048_576,
    max: 8_589_934_592,
    doc: "Most bytes of messages that the hub keeps. Past it the oldest go, and clients that need them start afresh.",
  },
  "recovery.maxSessions": {
    type: "integer",
    default: 100_000,
    min: 1,
    max: 10_000_000,
    doc: "Most sessions that wait for their client. Past it the one that waits longest is let go.",
  },
  "recovery.maxClientBytes": {
    type: "integer",
    default: 4_194_304,
    min: 65_536,
    max: 1_073_741_824,
    doc: "Most bytes waiting for one client that reads slowly. Past it its connection is closed; it may come back for the rest.",
  },
  "recovery.saveState": {
    type: "boolean",
    default: true,
    doc: "Whether a graceful stop saves what the hub keeps, messages included, for the next start: see Restarts.",
  },
  "auth.jwtSecret": {
    type: "string",
    default: "",
    secret: true,
    doc: "Secret of the HS256 tokens that clients must show (32 bytes at least). Empty: everybody is let in.",
  },
  "auth.jwtAlgorithms": {
    type: "list",
    values: ["HS256", "HS384", "HS512"],
    default: ["HS256"],
    doc: "Accepted signature algorithms: HS256, HS384, HS512. HS384 and HS512 ask for a secret of 48 and 64 bytes.",
  },
  "auth.jwtIssuer": { type: "string", default: "", doc: "The `iss` a token must have. Empty: any." },
  "auth.jwtAudience": { type: "string", default: "", doc: "The `aud` a token must have. Empty: any." },
  "limits.origins": {
    type: "list",
    default: [],
    doc: "Origins that browsers may connect from, e.g. https://chat.example. Empty: any. `same` allows the host that was asked. Requests without an Origin header (programs, and pages that ask their own host) are let in.",
  },
  "limits.maxConnections": {
    type: "integer",
    default: 0,
    min: 0,
    max: 10_000_000,
    doc: "Most connections of the box. One more is answered 503. 0: no limit.",
  },
  "limits.connectionsPerAddress": {
    type: "integer",
    default: 0,
    min: 0,
    max: 10_000_000,
    doc: "Most connections of a client address (IPv6: of a /64 network). One more is answered 429. 0: no limit.",
  },
  "limits.connectsPerSecondPerAddress": {
    type: "integer",
    default: 0,
    min: 0,
    max: 1_000_000,
    doc: "New connections of a client address per second, on average. One more is answered 429. 0: no limit.",
  },
  "limits.connectBurstPerAddress": {
    type: "integer",
    default: 100,
    min: 1,
    max: 1_000_000,
    doc: "New connections that a client address may open at once before connectsPerSecondPerAddress holds it back.",
  },
  "limits.maxPayloadBytes": {
    type: "integer",
    default: 1_000_000,
    min: 256,
    max: 268_435_456,
    doc: "Largest message a client may send. A larger one closes its connection.",
  },
  "limits.eventsPerSecond": {
    type: "integer",
    default: 100,
    min: 0,
    max: 1_000_000,
    doc: "Events a socket may send per second, on average. 0: no limit. One more is refused with ALLCORES_ERR_RATE_LIMITED.",
  },
  "limits.eventBurst": {
    type: "integer",
    default: 200,
    min: 1,
    max: 1_000_000,
    doc: "Events a socket may send at once before eventsPerSecond holds it back.",
  },
  "limits.maxDepth": {
    type: "integer",
    default: 32,
    min: 1,
    max: 1000,
    doc: "Deepest nesting of arrays and objects in a packet.",
  },
  "limits.maxKeys": {
    type: "integer",
    default: 100_000,
    min: 1,
    max: 1_000_000,
    doc: "Most array elements and object keys in a packet, all levels together. JSON that fits the default maxPayloadBytes seldom has as many.",
  },
  "limits.maxNameLength": {
    type: "integer",
    default: 256,
    min: 16,
    max: 65_536,
    doc: "Longest name of an event or namespace that a client may send, in characters.",
  },
  "limits.maxAttachments": {
    type: "integer",
    default: 10,
    min: 0,
    max: 1000,
    doc: "Most binary attachments of one packet.",
  },
  "limits.attachmentTimeoutMs": {
    type: "integer",
    default: 10_000,
    min: 100,
    max: MINUTE_MS * 10,
    doc: "Longest wait for the next binary attachment that a packet announced. After that the connection is closed.",
  },
} as const satisfies Record<string, Row>;

export type OptionName = keyof typeof OPTION_TABLE;
