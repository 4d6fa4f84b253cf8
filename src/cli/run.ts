// Finds the verb, runs it, and turns what it throws into one clear line and an exit code.

import type { Writable } from "node:stream";
import { VERSION } from "../bus/build.ts";
import { AllcoresError, EXIT, exitCodeOf, toError } from "../errors.ts";
import { closestName } from "../lib/closest-name.ts";
import { paint } from "./paint.ts";
import type { Terminal, Verb } from "./verb.ts";
import { VERBS } from "./verbs.ts";

/** Runs `allcores ARGS` and resolves to its exit code. Never rejects. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(args, terminal);
  } catch (error) {
    printError(terminal.err, error);
    return exitCodeOf(error);
  }
}

async function dispatch([first, ...rest]: readonly string[], terminal: Terminal): Promise<number> {
  switch (first) {
    case undefined:
      terminal.err.write(overview());
      return EXIT.usage;
    case "--version":
    case "-v":
      return print(terminal.out, `${VERSION}\n`);
    case "--help":
    case "-h":
      return print(terminal.out, overview());
    case "help":
      return print(terminal.out, rest[0] === undefined ? overview() : `${findVerb(rest[0]).help}\n`);
  }
  const verb = findVerb(first);
  if (!wantsHelp(rest)) return verb.run(rest, terminal);
  return print(terminal.out, `${verb.helpOf?.(rest) ?? verb.help}\n`);
}

function wantsHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end === -1 ? args.length : end).some((arg) => arg === "--help" || arg === "-h");
}

function findVerb(name: string): Verb {
  const verb = VERBS.find((candidate) => candidate.name === name);
  if (verb !== undefined) return verb;
  const closest = closestName(
    name,
    VERBS.map((candidate) => candidate.name),
  );
  const hint = closest === undefined ? "" : ` Did you mean \`allcores ${closest}\`?`;
  const what = name.startsWith("-") ? `There is no flag ${name} before the verb.` : `There is no verb "${name}".`;
  throw new AllcoresError("ALLCORES_ERR_USAGE", `${what}${hint} See \`allcores --help\`.`);
}

function overview(): string {
  const width = Math.max(...VERBS.map(({ name }) => name.length));
  const lines = VERBS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    "Runs a Socket.IO app on every core of one box.",
    "",
    "Usage: allcores VERB [ARGUMENTS]",
    "",
    ...lines,
    "",
    "`allcores help VERB` tells about one of them. `allcores --version` prints the version.",
    "",
  ].join("\n");
}

function print(out: Writable, text: string): number {
  out.write(text);
  return EXIT.ok;
}

function printError(err: Writable, thrown: unknown): void {
  const error = toError(thrown);
  const isExpected = error instanceof AllcoresError;
  const advice = isExpected ? "" : " This should not happen; with LOG_LEVEL=debug you see where it did.";
  err.write(`${paint(err, "red", "allcores:")} ${error.message}${advice}\n`);
  if (process.env.LOG_LEVEL !== "debug") return;

  err.write(`${error.stack}\n`);
  if (error.cause !== undefined) err.write(`Cause: ${toError(error.cause).stack}\n`);
}
