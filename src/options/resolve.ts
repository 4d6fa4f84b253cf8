// Resolves every option from its four sources: flag > environment > file > default.
// Pure but for the secret files named by <ENV>_FILE: the caller brings flags, environment and the file's content.

import { readFileSync } from "node:fs";
import { AllcoresError, InvalidOptionError } from "../errors.ts";
import { closestName } from "../lib/closest-name.ts";
import { isLoopbackHost } from "../lib/loopback.ts";
import { checkOrigins, checkSecret, checkTrustedProxies } from "./check-access.ts";
import type { OptionSource, Options, Resolution, ResolvedOption } from "./options.ts";
import { OPTION_TABLE, type OptionName, type Row } from "./table.ts";

export interface OptionSources {
  /** Values of the flags that were given, by flag name without the dashes. */
  readonly flags?: Readonly<Record<string, string | boolean | undefined>>;
  readonly env?: NodeJS.ProcessEnv;
  /** The parsed configuration file: the same names as the table, nested or dotted. */
  readonly file?: unknown;
}

type OptionValue = ResolvedOption["value"];

export const OPTION_NAMES = Object.keys(OPTION_TABLE) as OptionName[];

/** `cpu.maxQueue` is the flag `--cpu-max-queue`. */
export function flagOf(name: OptionName): string {
  return name.replaceAll(".", "-").replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `cpu.maxQueue` is `ALLCORES_CPU_MAX_QUEUE`, unless its row names another. */
export function envOf(name: OptionName): string {
  const row: Row = OPTION_TABLE[name];
  return row.env ?? `ALLCORES_${flagOf(name).replaceAll("-", "_").toUpperCase()}`;
}

/** Resolves and checks all options; throws `InvalidOptionError` for the first one that cannot stand. */
export function resolveOptions(sources: OptionSources = {}): Resolution {
  const fromFile = flattenFile(sources.file);
  const entries = OPTION_NAMES.map((name) => resolveOne(name, sources, fromFile));
  const values = new Map(entries.map(({ name, value }) => [name, value]));
  checkTogether(values);
  return { options: nest(values), entries };
}

function resolveOne(name: OptionName, sources: OptionSources, fromFile: Map<string, unknown>): ResolvedOption {
  const row: Row = OPTION_TABLE[name];
  const flag = sources.flags?.[flagOf(name)];
  if (flag !== undefined) return checked(name, row, flag, "flag", `--${flagOf(name)}`);

  const fromEnv = readEnv(name, row, sources.env ?? {});
  if (fromEnv !== undefined) return checked(name, row, fromEnv.text, "environment", fromEnv.variable);

  if (fromFile.has(name)) return checked(name, row, fromFile.get(name), "file", name);

  const { default: standard } = row;
  return { name, value: typeof standard === "function" ? standard() : standard, source: "default" };
}

function readEnv(name: OptionName, row: Row, env: NodeJS.ProcessEnv): { variable: string; text: string } | undefined {
  const variable = envOf(name);
  const text = env[variable];
  if (text !== undefined && text !== "") return { variable, text };
  if (row.secret !== true) return undefined;

  const fileVariable = `${variable}_FILE`;
  const path = env[fileVariable];
  if (path === undefined || path === "") return undefined;
  return { variable: fileVariable, text: readSecret(fileVariable, path) };
}

function readSecret(variable: string, path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new AllcoresError(
      "ALLCORES_ERR_INVALID_OPTION",
      `${variable} names ${path}, which cannot be read. Check the path and its permissions.`,
      { cause: error },
    );
  }
}

function checked(name: OptionName, row: Row, raw: unknown, source: OptionSource, label: string): ResolvedOption {
  return { name, value: parse(row, raw, label), source };
}

function parse(row: Row, raw: unknown, label: string): OptionValue {
  switch (row.type) {
    case "integer":
      return parseInteger(raw, row.min, row.max, label);
    case "boolean":
      return parseBoolean(raw, label);
    case "list":
      return parseList(raw, row.values, label);
    case "choice":
      if (typeof raw === "string" && row.values.includes(raw)) return raw;
      throw new InvalidOptionError(label, `one of ${row.values.join(", ")}`, raw);
    case "string":
      if (typeof raw === "string") return raw;
      throw new InvalidOptionError(label, "text", raw);
  }
}

function parseInteger(raw: unknown, min: number, max: number, label: string): number {
  const isNumeral = typeof raw === "string" && /^-?\d+(_\d+)*$/.test(raw);
  const value = isNumeral ? Number(raw.replaceAll("_", "")) : raw;
  const fits = typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
  if (!fits) throw new InvalidOptionError(label, `a whole number from ${min} to ${max}`, raw);
  return value;
}

function parseBoolean(raw: unknown, label: string): boolean {
  if (raw === true || raw === "true" || raw === "1") return true;
  if (raw === false || raw === "false" || raw === "0") return false;
  throw new InvalidOptionError(label, "true or false", raw);
}

function parseList(raw: unknown, values: readonly string[] | undefined, label: string): readonly string[] {
  const items = typeof raw === "string" ? raw.split(",") : raw;
  if (!Array.isArray(items) || !items.every((item) => typeof item === "string")) {
    throw new InvalidOptionError(label, "a list of words separated by commas", raw);
  }
  const words = items.map((item) => item.trim()).filter((item) => item !== "");
  if (values !== undefined && (words.length === 0 || !words.every((word) => values.includes(word)))) {
    throw new InvalidOptionError(label, `one or more of ${values.join(", ")}`, raw);
  }
  return Object.freeze(words);
}

/** The file's `{ cpu: { maxQueue: 5 } }` and `{ "cpu.maxQueue": 5 }` mean the same. Unknown names are refused. */
function flattenFile(file: unknown): Map<string, unknown> {
  const flat = new Map<string, unknown>();
  if (file === undefined) return flat;
  if (!isRecord(file)) throw new InvalidOptionError("The configuration file", "a JSON object", file);

  const known = new Set<string>(OPTION_NAMES);
  for (const [key, value] of Object.entries(file)) {
    const names = isRecord(value) ? Object.entries(value).map(([rest, v]) => [`${key}.${rest}`, v] as const) : [];
    for (const [name, leaf] of isRecord(value) ? names : [[key, value] as const]) {
      if (!known.has(name)) {
        const closest = closestName(name, OPTION_NAMES);
        const hint = closest === undefined ? "" : ` Did you mean "${closest}"?`;
        throw new AllcoresError(
          "ALLCORES_ERR_INVALID_OPTION",
          `The configuration file has "${name}", which is no option.${hint} \`allcores config\` lists them all.`,
        );
      }
      flat.set(name, leaf);
    }
  }
  return flat;
}

/** Rules that need more than one option. */
function checkTogether(values: ReadonlyMap<OptionName, OptionValue>): void {
  const minDelay = Number(values.get("supervisor.minRestartDelayMs"));
  const maxDelay = Number(values.get("supervisor.maxRestartDelayMs"));
  if (!(maxDelay >= minDelay)) {
    throw new InvalidOptionError("supervisor.maxRestartDelayMs", "at least supervisor.minRestartDelayMs", maxDelay);
  }

  const maxQueueBytes = Number(values.get("cpu.maxQueueBytes"));
  if (!(maxQueueBytes >= Number(values.get("cpu.maxPayloadBytes")))) {
    throw new InvalidOptionError("cpu.maxQueueBytes", "at least cpu.maxPayloadBytes", maxQueueBytes);
  }

  const redisUrl = String(values.get("redisUrl"));
  if (redisUrl !== "" && !isRedisUrl(redisUrl)) {
    // The URL itself is not shown: there may be a password in it.
    throw new AllcoresError(
      "ALLCORES_ERR_INVALID_OPTION",
      "redisUrl must be a redis:// or rediss:// URL, e.g. redis://127.0.0.1:6379. Characters of a password that mean something in a URL must be %-encoded.",
    );
  }

  checkSecret(String(values.get("auth.jwtSecret")), values.get("auth.jwtAlgorithms") as readonly string[]);
  checkOrigins(values.get("limits.origins") as readonly string[]);
  checkTrustedProxies(values.get("trustProxy") as readonly string[], values.get("proxyProtocol") === true);

  const adminHost = String(values.get("adminHost"));
  if (!isLoopbackHost(adminHost) && values.get("admin.token") === "") {
    throw new AllcoresError(
      "ALLCORES_ERR_INVALID_OPTION",
      `adminHost ${adminHost} can be reached from outside: set ALLCORES_ADMIN_TOKEN (or ALLCORES_ADMIN_TOKEN_FILE) too.`,
    );
  }
}

function isRedisUrl(text: string): boolean {
  return URL.canParse(text) && ["redis:", "rediss:"].includes(new URL(text).protocol);
}

function nest(values: ReadonlyMap<OptionName, OptionValue>): Options {
  const nested: Record<string, unknown> = {};
  for (const [name, value] of values) {
    const [head = name, rest] = name.split(".");
    if (rest === undefined) nested[head] = value;
    else nested[head] = { ...(nested[head] as object | undefined), [rest]: value };
  }
  for (const value of Object.values(nested)) Object.freeze(value);
  return Object.freeze(nested) as Options;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
