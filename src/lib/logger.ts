// The only file that logs. One line a record: NDJSON in pino's line format, or short human lines on a terminal.
// A log that cannot be written must not stall a loop: past `maxPendingBytes` lines are dropped and counted.

import { hostname } from "node:os";
import type { Writable } from "node:stream";
import { styleText } from "node:util";

export type LogLevel = "silent" | "error" | "warn" | "info" | "debug";

/** What the project asks of a logger: the part of pino's interface that it uses. A pino instance fits. */
export interface Logger {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
  debug(fields: object, message: string): void;
  /** A logger whose lines all carry `fields`. */
  child(fields: object): Logger;
}

export interface LoggerOptions {
  /** Lines below this level are not written. @default "info" */
  readonly level?: LogLevel;
  /** Where lines go. @default process.stderr */
  readonly stream?: Writable & { readonly isTTY?: boolean };
  /** Human lines instead of NDJSON. @default whether the stream is a terminal */
  readonly pretty?: boolean;
  /** Most bytes waiting for the stream, past which lines are dropped. @default 1_048_576 */
  readonly maxPendingBytes?: number;
}

/** A cause may have itself as its cause. */
const MAX_CAUSES = 5;
const PINO_LEVELS = { error: 50, warn: 40, info: 30, debug: 20 } as const;
const COLOURS = { error: "red", warn: "yellow", info: "green", debug: "gray" } as const;
type LineLevel = keyof typeof PINO_LEVELS;

const THRESHOLDS: Record<LogLevel, number> = { silent: Number.POSITIVE_INFINITY, ...PINO_LEVELS };

export function createLogger(options: LoggerOptions = {}, fields: object = {}): Logger {
  const { level = "info", stream = process.stderr, maxPendingBytes = 1_048_576 } = options;
  const { pretty = stream.isTTY === true } = options;
  const threshold = THRESHOLDS[level];
  let dropped = 0;

  const write = (lineLevel: LineLevel, extra: object, message: string): void => {
    if (PINO_LEVELS[lineLevel] < threshold) return;
    if (stream.writableLength > maxPendingBytes) {
      dropped++;
      return;
    }
    const record = { ...fields, ...extra, ...(dropped > 0 && { droppedLines: dropped }) };
    dropped = 0;
    stream.write(pretty ? prettyLine(lineLevel, record, message) : jsonLine(lineLevel, record, message));
  };

  return {
    error: (extra, message) => write("error", extra, message),
    warn: (extra, message) => write("warn", extra, message),
    info: (extra, message) => write("info", extra, message),
    debug: (extra, message) => write("debug", extra, message),
    child: (extra) => createLogger(options, { ...fields, ...extra }),
  };
}

/** The fields of an error as pino's standard serializer has them. */
export function errorFields(error: unknown): object {
  if (!(error instanceof Error)) return { err: { type: typeof error, message: String(error) } };
  const { code } = error as NodeJS.ErrnoException;
  return {
    err: {
      type: error.name,
      message: error.message,
      ...(code !== undefined && { code }),
      stack: stackWithCauses(error),
      ...(error.cause instanceof Error && { cause: error.cause.message }),
    },
  };
}

/** The place where the original error was thrown is what whoever reads the log looks for. */
function stackWithCauses(error: Error, depth = 0): string {
  const { cause } = error;
  const stack = error.stack ?? error.message;
  if (!(cause instanceof Error) || depth === MAX_CAUSES) return stack;
  return `${stack}\ncaused by: ${stackWithCauses(cause, depth + 1)}`;
}

function jsonLine(level: LineLevel, record: object, message: string): string {
  const head = { level: PINO_LEVELS[level], time: Date.now(), pid: process.pid, hostname: hostname() };
  return `${JSON.stringify({ ...head, ...record, msg: message })}\n`;
}

function prettyLine(level: LineLevel, record: object, message: string): string {
  const time = new Date().toISOString().slice(11, 23);
  const details = Object.entries(record).map(([key, value]) => `${key}=${prettyValue(value)}`);
  const tail = details.length > 0 ? ` ${styleText("gray", details.join(" "))}` : "";
  return `${styleText("gray", time)} ${styleText(COLOURS[level], level.padEnd(5))} ${message}${tail}\n`;
}

function prettyValue(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  const { message, stack } = value as { message?: unknown; stack?: unknown };
  if (typeof stack === "string") return stack;
  return typeof message === "string" ? message : JSON.stringify(value);
}
