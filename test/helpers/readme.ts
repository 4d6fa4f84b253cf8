// The README as tests read it: text, marked sections, files, and the tables that the code says it should have.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ScenarioInfo } from "../../src/bench/contract.ts";
import { SCENARIOS } from "../../src/bench/scenarios.ts";
import { TARGETS } from "../../src/bench/targets.ts";
import { flagsOf, SETS } from "../../src/cli/bench-command.ts";
import { type FlagSpec, flagName } from "../../src/cli/flag-table.ts";
import { METRIC_TABLE } from "../../src/metrics/table.ts";
import { envOf, flagOf, OPTION_NAMES } from "../../src/options/resolve.ts";
import { OPTION_TABLE, type Row } from "../../src/options/table.ts";

const PATH = fileURLToPath(new URL("../../README.md", import.meta.url));

export function readReadme(): string {
  return readFileSync(PATH, "utf8");
}

/** What stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. */
export function section(readme: string, name: string): string {
  const [, text] = markers(name).exec(readme) ?? [];
  if (text === undefined) throw new Error(`README.md has no <!-- ${name}:begin --> ... <!-- ${name}:end -->.`);
  return text.trim();
}

export function writeSection(name: string, text: string): void {
  const replaced = readReadme().replace(markers(name), () => `<!-- ${name}:begin -->\n${text}\n<!-- ${name}:end -->`);
  writeFileSync(PATH, replaced);
}

/** The code blocks behind `<!-- file: PATH -->`, by path. */
export function filesIn(readme: string): Map<string, string> {
  const blocks = readme.matchAll(/<!-- file: (\S+) -->\n```\w+\n([\s\S]*?)```/g);
  return new Map([...blocks].map(([, path = "", text = ""]) => [path, text]));
}

/** The sections that are made from tables of the code, by name. */
export const GENERATED: Readonly<Record<string, () => string>> = {
  options: () => table(["option", "flag", "environment", "default", "what it does"], OPTION_NAMES.map(optionCells)),
  metrics: () =>
    table(
      ["metric", "type", "what it tells"],
      Object.entries(METRIC_TABLE).map(([name, { type, help }]) => [code(name), type, help]),
    ),
  "bench-scenarios": () =>
    table(
      ["scenario", "what it does"],
      [...SCENARIOS.map(({ name, summary }) => [name, summary]), ...Object.entries(SETS)].map(nameFirst),
    ),
  "bench-servers": () =>
    table(["server", "what it is"], TARGETS.map(({ name, summary }) => [name, summary]).map(nameFirst)),
  "bench-flags": () => table(["flag", "what it does", "goes with"], benchFlags()),
};

function optionCells(name: (typeof OPTION_NAMES)[number]): string[] {
  const row: Row = OPTION_TABLE[name];
  const env = row.secret === true ? `${code(envOf(name))}, ${code(`${envOf(name)}_FILE`)}` : code(envOf(name));
  return [code(name), code(`--${flagOf(name)}`), env, defaultOf(row), row.doc];
}

function defaultOf({ default: standard }: Row): string {
  if (typeof standard === "function") return "number of cores";
  const text = String(standard);
  return text === "" ? "" : code(text);
}

/** A flag once, with the scenarios that have it. */
function benchFlags(): string[][] {
  const names = [...SCENARIOS.map(({ name }: ScenarioInfo) => name), ...Object.keys(SETS)];
  const flags = new Map<string, { readonly spec: FlagSpec; readonly goesWith: string[] }>();
  for (const name of names) {
    for (const [param, spec] of Object.entries(flagsOf(name, SCENARIOS))) {
      const known = flags.get(param) ?? { spec, goesWith: [] };
      flags.set(param, { ...known, goesWith: [...known.goesWith, name] });
    }
  }
  return [...flags].map(([param, { spec, goesWith }]) => [
    code(`--${flagName(param)}`),
    spec.doc,
    goesWith.length === names.length ? "all" : goesWith.join(", "),
  ]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows.map((cells) => cells.map((cell) => cell.replaceAll("|", "\\|")))];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function nameFirst([name = "", ...rest]: readonly string[]): string[] {
  return [code(name), ...rest];
}

function code(text: string): string {
  return `\`${text}\``;
}

function markers(name: string): RegExp {
  return new RegExp(`<!-- ${name}:begin -->([\\s\\S]*?)<!-- ${name}:end -->`);
}
