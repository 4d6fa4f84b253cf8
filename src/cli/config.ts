// `allcores config`: every option, its value and where it came from.

import { EXIT } from "../errors.ts";
import { describeOptions } from "../options/describe.ts";
import { describeUnknownVariables } from "../options/unknown-variables.ts";
import { parseArguments } from "./arguments.ts";
import { alignColumns } from "./columns.ts";
import { OPTION_FLAGS, resolveFromCommandLine } from "./option-flags.ts";
import { paint } from "./paint.ts";
import type { Terminal, Verb } from "./verb.ts";

const HELP = `Prints the resolved options and where each came from: flag > environment > file > default.
Secrets are masked. Takes all flags of \`allcores start\`, so that a command line can be tried out.

Usage: allcores config [--check] [--json] [FLAGS OF START]

  --check   only validates: prints one line, exits 78 when an option cannot stand
  --json    one JSON array: { name, value, source, flag, env, doc }`;

export const config: Verb = {
  name: "config",
  summary: "prints the resolved options and where each came from; --check validates only",
  help: HELP,
  run: async (args, terminal) => {
    const { flags } = parseArguments("config", args, {
      flags: { ...OPTION_FLAGS, check: { type: "boolean" }, json: { type: "boolean" } },
    });
    const options = describeOptions(resolveFromCommandLine(flags, process.env));
    for (const text of describeUnknownVariables(process.env)) terminal.err.write(`${text}\n`);

    if (flags.check === true) terminal.out.write(flags.json === true ? '{"valid":true}\n' : "The options are valid.\n");
    else if (flags.json === true) terminal.out.write(`${JSON.stringify(options, null, 2)}\n`);
    else terminal.out.write(describeForPeople(options, terminal));
    return EXIT.ok;
  },
};

function describeForPeople(options: ReturnType<typeof describeOptions>, { out }: Terminal): string {
  return alignColumns(
    options.map(({ name, value, source, flag, env }) => {
      const origin = { flag, environment: env, file: "file", default: "default" }[source];
      const text = Array.isArray(value) ? value.join(",") : String(value);
      return [name, text === "" ? '""' : text, paint(out, source === "default" ? "gray" : "green", origin)];
    }),
  );
}
