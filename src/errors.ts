// Every error that allcores throws on purpose, with its stable code.
// The message says what happened and what to do; the original error, if any, is its `cause`.

/** All codes, in the order of the README's table. A test keeps the two equal. */
export const ERROR_CODES = [
  "ALLCORES_ERR_USAGE",
  "ALLCORES_ERR_INVALID_OPTION",
  "ALLCORES_ERR_APP",
  "ALLCORES_ERR_LISTEN",
  "ALLCORES_ERR_NO_BOX",
  "ALLCORES_ERR_RELOAD_REFUSED",
  "ALLCORES_ERR_RELOAD_FAILED",
  "ALLCORES_ERR_CLOSED",
  "ALLCORES_ERR_DEADLINE",
  "ALLCORES_ERR_BUS_FRAME",
  "ALLCORES_ERR_BUS_REFUSED",
  "ALLCORES_ERR_BUS_CLOSED",
  "ALLCORES_ERR_BUS_OVERFLOW",
  "ALLCORES_ERR_HUB_STATE",
  "ALLCORES_ERR_ROOM_NAME",
  "ALLCORES_ERR_CPU_PROCESS",
  "ALLCORES_ERR_POOL_SATURATED",
  "ALLCORES_ERR_TASK_UNKNOWN",
  "ALLCORES_ERR_TASK_PAYLOAD",
  "ALLCORES_ERR_TASK_FAILED",
  "ALLCORES_ERR_TASK_DEADLINE",
  "ALLCORES_ERR_TASK_ABORTED",
  "ALLCORES_ERR_TASK_CRASHED",
  "ALLCORES_ERR_UNAUTHORIZED",
  "ALLCORES_ERR_ORIGIN",
  "ALLCORES_ERR_TOO_MANY_CONNECTIONS",
  "ALLCORES_ERR_RATE_LIMITED",
  "ALLCORES_ERR_PACKET_REFUSED",
  "ALLCORES_ERR_HANDLER",
  "ALLCORES_ERR_SOCKET_IO",
  "ALLCORES_ERR_PRESENCE_FULL",
  "ALLCORES_ERR_PRESENCE_REFUSED",
  "ALLCORES_ERR_REDIS",
  "ALLCORES_ERR_FANOUT_OVERFLOW",
  "ALLCORES_ERR_BENCH",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** The exit codes of the CLI (the higher ones are those of BSD's sysexits.h). */
export const EXIT = {
  ok: 0,
  failure: 1,
  thresholdMissed: 2,
  usage: 64,
  unavailable: 69,
  internal: 70,
  configuration: 78,
} as const;

const EXIT_BY_CODE: Partial<Record<ErrorCode, number>> = {
  ALLCORES_ERR_USAGE: EXIT.usage,
  ALLCORES_ERR_INVALID_OPTION: EXIT.configuration,
  // Not a matter of configuration: what the app misses, a database say, may be there when systemd or PM2 tries again.
  ALLCORES_ERR_APP: EXIT.internal,
  ALLCORES_ERR_LISTEN: EXIT.unavailable,
  ALLCORES_ERR_NO_BOX: EXIT.unavailable,
};

/** What allcores throws on purpose: branch on `code`, show `message`. */
export class AllcoresError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AllcoresError";
    this.code = code;
  }
}

/** An option has a value it cannot have. Nothing was started. */
export class InvalidOptionError extends AllcoresError {
  readonly option: string;

  constructor(option: string, expected: string, got: unknown) {
    super("ALLCORES_ERR_INVALID_OPTION", `${option} must be ${expected}, got ${describeValue(got)}.`);
    this.option = option;
  }
}

/** The CPU pool refused a task because its queue is full. Retry later, or shed load. */
export class PoolSaturatedError extends AllcoresError {
  readonly queued: number;

  constructor(queued: number) {
    super(
      "ALLCORES_ERR_POOL_SATURATED",
      `CPU pool is full: ${queued} tasks are already waiting. Retry later or raise cpu.maxQueue (or cpu.maxQueueBytes).`,
    );
    this.queued = queued;
  }
}

/** The exit code of the process for an error that ended a verb: 70 (internal) for anything unexpected. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof AllcoresError)) return EXIT.internal;
  return EXIT_BY_CODE[error.code] ?? EXIT.failure;
}

/** The error as one `Error`, whatever was thrown. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(describeValue(thrown));
}

/** The message without its full stop, to go on with. */
export function clauseOf(thrown: unknown): string {
  return toError(thrown).message.replace(/\.$/, "");
}

function describeValue(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  return String(value);
}
