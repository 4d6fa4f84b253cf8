// The arguments of one verb: flags and positionals, checked, with the flag that was probably meant in the error.

import { type ParseArgsConfig, parseArgs } from "node:util";
import { AllcoresError } from "../errors.ts";
import { closestName } from "../lib/closest-name.ts";

export interface FlagSpec {
  readonly type: "string" | "boolean";
  /** Takes text and may be given several times: its values are in `lists`, not in `flags`. */
  readonly isRepeatable?: true;
}

export interface ArgumentSpec {
  /** By name, without the dashes. A boolean flag can also be given as `--no-NAME`. */
  readonly flags: Readonly<Record<string, FlagSpec>>;
  /** Most positional arguments. @default 0 */
  readonly maxPositionals?: number;
}

export interface ParsedArguments {
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  /** The values of repeatable flags, in the order they were given. */
  readonly lists: Readonly<Record<string, readonly string[]>>;
  readonly positionals: readonly string[];
}

/** Parses the arguments of `verb`; throws `ALLCORES_ERR_USAGE` for the first that is not as `spec` says. */
export function parseArguments(verb: string, args: readonly string[], spec: ArgumentSpec): ParsedArguments {
  const { tokens } = parseArgs({
    args: [...args],
    options: spec.flags as NonNullable<ParseArgsConfig["options"]>,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });

  const flags: Record<string, string | boolean> = {};
  const lists: Record<string, string[]> = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    for (const [name, value] of Object.entries(readFlag(verb, token, spec.flags))) {
      if (spec.flags[name]?.isRepeatable !== true) flags[name] = value;
      else lists[name] = [...(lists[name] ?? []), String(value)];
    }
  }
  const surplus = positionals[spec.maxPositionals ?? 0];
  if (surplus !== undefined) throw usageError(`\`allcores ${verb}\` does not take "${surplus}".`, verb);
  return { flags, lists, positionals };
}

interface FlagToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function readFlag(
  verb: string,
  { name: given, rawName, value, inlineValue }: FlagToken,
  flags: ArgumentSpec["flags"],
): Record<string, string | boolean> {
  const name = given in flags ? given : given.replace(/^no-/, "");
  const spec = Object.hasOwn(flags, name) ? flags[name] : undefined;
  const isNegated = name !== given;
  if (spec === undefined || (isNegated && spec.type !== "boolean"))
    throw unknownFlag(verb, rawName, Object.keys(flags));

  if (spec.type === "boolean") {
    if (inlineValue !== true) return { [name]: !isNegated };
    if (!isNegated && (value === "true" || value === "false")) return { [name]: value === "true" };
    throw usageError(`${rawName} takes no value but true or false.`, verb);
  }
  if (value === undefined || (!inlineValue && value.startsWith("--"))) {
    throw usageError(`${rawName} needs a value, as in \`${rawName}=VALUE\`.`, verb);
  }
  return { [name]: value };
}

function unknownFlag(verb: string, rawName: string, known: readonly string[]): AllcoresError {
  const closest = closestName(rawName.replace(/^-+/, ""), known);
  const hint = closest === undefined ? "" : ` Did you mean --${closest}?`;
  return usageError(`\`allcores ${verb}\` has no flag ${rawName}.${hint}`, verb);
}

function usageError(message: string, verb: string): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_USAGE", `${message} See \`allcores ${verb} --help\`.`);
}
