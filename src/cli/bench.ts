// `allcores bench`: load tests with a ledger, and baselines side by side.

import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ProgressPrinter } from "../bench/report/progress.ts";
import { htmlReport, markdownReport, svgReport, terminalReport } from "../bench/report/report.ts";
import type { BenchResult } from "../bench/result.ts";
import { runBench } from "../bench/run-bench.ts";
import { runScenario } from "../bench/run-scenario.ts";
import { SCENARIOS } from "../bench/scenarios.ts";
import { TARGETS } from "../bench/targets.ts";
import { judge, type Verdict } from "../bench/thresholds.ts";
import { AllcoresError, EXIT } from "../errors.ts";
import { type BenchCommand, flagsOf, type Outputs, parseBenchCommand, SETS } from "./bench-command.ts";
import { alignColumns } from "./columns.ts";
import { describeFlags, STANDS_ALONE } from "./flag-table.ts";
import type { Terminal, Verb } from "./verb.ts";

export const bench: Verb = {
  name: "bench",
  summary: "load test with a ledger, and baselines side by side",
  help: `Usage: allcores bench NAME [flags]
       allcores bench NAME --help     the flags of one scenario
       allcores bench --list          all scenarios, and the servers to compare with

Starts the server, loads it from several processes on a schedule, and keeps a ledger: a figure counts only
when every message arrived once and in order and the load side kept up. Anything else is reported as void.

${listText()}
Exit codes: 0 all runs of the server under test count, 1 one of them is void, 2 a threshold was missed.
`,
  helpOf: ([name]) => {
    if (name === undefined || name.startsWith("-")) return undefined;
    return `Usage: allcores bench ${name} [flags]\n\n${describeFlags(flagsOf(name, SCENARIOS))}`;
  },

  run: async (args, terminal) => {
    const [name] = args;
    if (name === "--list") return print(terminal, listText());
    if (name === undefined || name.startsWith("-")) {
      throw new AllcoresError(
        "ALLCORES_ERR_USAGE",
        "Which scenario? allcores bench NAME [flags]; see allcores bench --list.",
      );
    }
    return runCommand(await parseBenchCommand(args, SCENARIOS), terminal);
  },
};

async function runCommand(command: BenchCommand, terminal: Terminal): Promise<number> {
  await makeFolders(command.outputs);
  const result = await runUntilSignal(command, terminal);
  await writeOutputs(result, command, terminal);
  const verdict = judge(result, command.thresholds);
  for (const reason of verdict.reasons) terminal.err.write(`${verdict.outcome.toUpperCase()}: ${reason}\n`);
  return EXIT_BY_OUTCOME[verdict.outcome];
}

const EXIT_BY_OUTCOME: Record<Verdict["outcome"], number> = {
  passed: EXIT.ok,
  missed: EXIT.thresholdMissed,
  void: EXIT.failure,
};

/** The first signal stops the run and its servers in good order, the second one ends at once (and kills them). */
async function runUntilSignal({ request }: BenchCommand, terminal: Terminal): Promise<BenchResult> {
  const interrupt = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (interrupt.signal.aborted) process.exit(EXIT.failure);
    terminal.err.write(`\n${signal}: stopping the servers.\n`);
    interrupt.abort(new AllcoresError("ALLCORES_ERR_BENCH", `Stopped by ${signal}: there is no result.`));
  };
  const progress = new ProgressPrinter(terminal.err);
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    return await runBench(request, runScenario, {
      signal: interrupt.signal,
      onStep: (scenario, runs) => progress.announce(`${scenario}: ${runs} ${runs === 1 ? "run" : "runs"}`),
      onProgress: (about, state) => progress.update(about, state),
      onRun: (about, run) => progress.finish(about, run),
    });
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

async function writeOutputs(result: BenchResult, { outputs }: BenchCommand, { out }: Terminal): Promise<void> {
  const json = `${JSON.stringify(result, undefined, 2)}\n`;
  out.write(outputs.json === STANDS_ALONE ? json : terminalReport(result, out.isTTY === true));
  if (outputs.json !== undefined && outputs.json !== STANDS_ALONE) await writeFile(outputs.json, json);
  if (outputs.html !== undefined) await writeFile(outputs.html, htmlReport(result));
  if (outputs.markdown !== undefined) await writeFile(outputs.markdown, markdownReport(result));
  if (outputs.svg !== undefined) await writeFile(outputs.svg, svgReport(result));
}

/** Before the run, not after it: a result of fifteen minutes should not be lost to a mistyped path. */
async function makeFolders(outputs: Outputs): Promise<void> {
  const files = Object.values(outputs).filter((path) => path !== STANDS_ALONE);
  for (const path of files) await mkdir(dirname(path), { recursive: true });
}

function listText(): string {
  const scenarios = [...SCENARIOS.map(({ name, summary }) => [`  ${name}`, summary]), ...setRows()];
  const servers = TARGETS.map(({ name, summary }) => [`  ${name}`, summary]);
  return `Scenarios:\n${alignColumns(scenarios)}\nServers, for --target and --compare:\n${alignColumns(servers)}`;
}

function setRows(): string[][] {
  return Object.entries(SETS).map(([name, summary]) => [`  ${name}`, summary]);
}

function print(terminal: Terminal, text: string): number {
  terminal.out.write(text);
  return EXIT.ok;
}
