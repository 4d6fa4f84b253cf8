// Flags from tables of parameters: the same table says what a flag is called, what it takes and what --help prints.
// `roomSize` is `--room-size`.

import type { ParamSpec, Params, ParamValue } from "../bench/contract.ts";
import { AllcoresError } from "../errors.ts";
import { parseArguments } from "./arguments.ts";
import { alignColumns } from "./columns.ts";

/** A flag that is no parameter of a scenario. `text` may be anything; `optionalText` may also stand alone. */
export type FlagSpec =
  | ParamSpec
  | { readonly type: "integer"; readonly min: number; readonly max: number; readonly doc: string }
  | { readonly type: "text" | "optionalText"; readonly doc: string; readonly shows: string };
export type FlagTable = Readonly<Record<string, FlagSpec>>;

/** What an `optionalText` flag is when it stands alone. */
export const STANDS_ALONE = "-";

/** Reads the arguments by the table, to what was given, by the names in the table. Fails with ALLCORES_ERR_USAGE. */
export function parseFlags(verb: string, args: readonly string[], table: FlagTable): Params {
  const byFlag = new Map(Object.keys(table).map((name) => [flagName(name), name]));
  const specs = [...byFlag].map(
    ([flag, name]) => [flag, { type: isBoolean(table, name) ? "boolean" : "string" }] as const,
  );
  const { flags } = parseArguments(verb, standAlone(args, table), { flags: Object.fromEntries(specs) });
  const values = Object.entries(flags).flatMap(([flag, value]) => {
    const name = byFlag.get(flag) ?? flag;
    const spec = table[name];
    return spec === undefined || value === undefined ? [] : [[name, readValue(`--${flag}`, spec, value)] as const];
  });
  return Object.fromEntries(values);
}

/** `--room-size` for `roomSize`, without the dashes. */
export function flagName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The lines of --help for a table. */
export function describeFlags(table: FlagTable): string {
  return alignColumns(
    Object.entries(table).map(([name, spec]) => [
      `  --${flagName(name)} ${shown(spec)}`.trimEnd(),
      `${spec.doc}${defaultText(spec)}`,
    ]),
  );
}

function isBoolean(table: FlagTable, name: string): boolean {
  return table[name]?.type === "boolean";
}

/** Gives each `optionalText` flag that stands alone its value, so that the next flag is not taken for it. */
function standAlone(args: readonly string[], table: FlagTable): string[] {
  const optional = Object.keys(table).filter((name) => table[name]?.type === "optionalText");
  const flags = new Set(optional.map((name) => `--${flagName(name)}`));
  return args.map((arg, index) => {
    const next = args[index + 1];
    const isAlone = next === undefined || next.startsWith("--");
    return flags.has(arg) && isAlone ? `${arg}=${STANDS_ALONE}` : arg;
  });
}

function readValue(flag: string, spec: FlagSpec, value: string | boolean): ParamValue {
  if (typeof value === "boolean") return value;
  if (value === "") throw usage(`${flag} needs a value: ${shown(spec)}.`);
  if (spec.type === "integer") return readInteger(flag, spec, value);
  if (spec.type === "choice" && !spec.values.includes(value)) {
    throw usage(`${flag} must be one of ${spec.values.join(", ")}, got "${value}".`);
  }
  return value;
}

function readInteger(flag: string, spec: { readonly min: number; readonly max: number }, text: string): number {
  const value = Number(text.replaceAll("_", ""));
  if (!(Number.isInteger(value) && value >= spec.min && value <= spec.max)) {
    throw usage(`${flag} must be a whole number from ${spec.min} to ${spec.max}, got "${text}".`);
  }
  return value;
}

function shown(spec: FlagSpec): string {
  switch (spec.type) {
    case "boolean":
      return "";
    case "integer":
      return "N";
    case "choice":
      return spec.values.join("|");
    case "text":
      return spec.shows;
    case "optionalText":
      return `[${spec.shows}]`;
  }
}

function defaultText(spec: FlagSpec): string {
  return "default" in spec && spec.type !== "boolean" ? ` Default ${spec.default}.` : "";
}

function usage(message: string): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_USAGE", message);
}
