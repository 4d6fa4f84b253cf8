// The option table as the command line shows it: flags, their help, and the options that come of them.

import type { Resolution } from "../options/options.ts";
import { envOf, flagOf, OPTION_NAMES, resolveOptions } from "../options/resolve.ts";
import { OPTION_TABLE, type OptionName, type Row } from "../options/table.ts";
import type { FlagSpec, ParsedArguments } from "./arguments.ts";
import { readConfigFile } from "./config-file.ts";

const HELP_WIDTH = 100;
const INDENT = " ".repeat(6);

/** One flag for every row of the table, and `--config`. */
export const OPTION_FLAGS: Readonly<Record<string, FlagSpec>> = {
  ...Object.fromEntries(OPTION_NAMES.map((name) => [flagOf(name), { type: flagType(OPTION_TABLE[name]) }])),
  config: { type: "string" },
};

/** Resolves all options from the flags, this process's environment and the file that `--config` names. */
export function resolveFromCommandLine(flags: ParsedArguments["flags"], env: NodeJS.ProcessEnv): Resolution {
  const file = typeof flags.config === "string" ? readConfigFile(flags.config) : undefined;
  return resolveOptions({ flags, env, file });
}

/** The help text of all flags, group by group. */
export function optionsHelp(): string {
  const groups = new Map<string, string[]>();
  for (const name of OPTION_NAMES) {
    const group = name.includes(".") ? (name.split(".")[0] ?? "") : "box";
    groups.set(group, [...(groups.get(group) ?? []), helpOf(name, OPTION_TABLE[name])]);
  }
  const sections = [...groups].map(([group, lines]) => `${group}:\n${lines.join("\n")}`);
  const config = `  --config FILE\n${INDENT}JSON file with options: { "port": 3000, "cpu": { "maxQueue": 500 } }`;
  return [config, ...sections].join("\n\n");
}

function helpOf(name: OptionName, row: Row): string {
  const flag = row.type === "boolean" ? `--[no-]${flagOf(name)}` : `--${flagOf(name)} ${placeholderOf(row)}`;
  const env = row.secret === true ? `${envOf(name)} or ${envOf(name)}_FILE` : envOf(name);
  return `  ${flag}\n${wrap(`${row.doc} [${env}${defaultOf(row)}]`)}`;
}

function defaultOf({ default: standard }: Row): string {
  const value = typeof standard === "function" ? standard() : standard;
  const text = Array.isArray(value) ? value.join(",") : String(value);
  return text === "" ? "" : `, default ${text}`;
}

function placeholderOf(row: Row): string {
  switch (row.type) {
    case "integer":
      return "N";
    case "choice":
      return row.values.join("|");
    case "list":
      return "A,B";
    default:
      return "TEXT";
  }
}

function flagType(row: Row): FlagSpec["type"] {
  return row.type === "boolean" ? "boolean" : "string";
}

function wrap(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    const isFull = INDENT.length + line.length + 1 + word.length > HELP_WIDTH;
    if (isFull) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.map((line) => `${INDENT}${line}`).join("\n");
}
