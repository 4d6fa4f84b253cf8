// From the command line to what has to be done: which scenario, on which servers, how often, and what to do with the result.

import type { Contender } from "../bench/compare.ts";
import type { AppProtocol, LoadLimits, Params, ScenarioInfo, ScenarioPlan } from "../bench/contract.ts";
import { loadProtocol } from "../bench/protocols.ts";
import { readmeSteps } from "../bench/readme-set.ts";
import type { BenchRequest } from "../bench/run-bench.ts";
import { FLOOR, SCALING_RATE } from "../bench/scaling.ts";
import { findTarget, type TargetKind } from "../bench/targets.ts";
import type { Thresholds } from "../bench/thresholds.ts";
import { urlTarget } from "../bench/url-target.ts";
import { AllcoresError } from "../errors.ts";
import { closestName } from "../lib/closest-name.ts";
import {
  LOAD_FLAGS,
  OUTPUT_FLAGS,
  README_FLAGS,
  README_OUTPUTS,
  SCALING_FLAGS,
  SCALING_LOAD_FLAGS,
  SERVER_FLAGS,
  THRESHOLD_FLAGS,
  URL_FLAGS,
} from "./bench-flags.ts";
import { type FlagTable, parseFlags } from "./flag-table.ts";

/** Files to write; `json` may be STANDS_ALONE. */
export interface Outputs {
  readonly json?: string;
  readonly html?: string;
  readonly svg?: string;
  readonly markdown?: string;
}

export interface BenchCommand {
  readonly request: BenchRequest;
  readonly thresholds: Thresholds;
  readonly outputs: Outputs;
}

/** What can stand after `allcores bench` besides the scenarios. */
export const SETS = {
  scaling: "cost per message against the number of workers, and the capacity of larger machines that follows (a model)",
  readme:
    "the README's figures: connect, rooms, direct, scaling, idle, jitter and reload, within 15 minutes on 2 cores",
} as const;

/** The scenario whose cost `scaling` measures. */
const SCALED_SCENARIO = "rooms";
const DEFAULT_WORKER_COUNTS = "1,2,4,8,16";
const COMPARED_ROUNDS = 3;

/** All flags of a scenario or a set. Rejects a name that there is none of, with the one that was meant. */
export function flagsOf(name: string, scenarios: readonly ScenarioInfo[]): FlagTable {
  if (name === "readme") return README_FLAGS;
  if (name === "scaling") {
    return { ...scalingParams(scenarios), ...SCALING_FLAGS, ...SCALING_LOAD_FLAGS, ...OUTPUT_FLAGS };
  }
  const { params, needs } = scenarioNamed(name, scenarios);
  return {
    ...params,
    ...SERVER_FLAGS,
    ...(needs.length === 0 && URL_FLAGS),
    ...THRESHOLD_FLAGS,
    ...LOAD_FLAGS,
    ...OUTPUT_FLAGS,
  };
}

function scalingParams(scenarios: readonly ScenarioInfo[]): FlagTable {
  const { params } = scenarioNamed(SCALED_SCENARIO, scenarios);
  const { rate } = params;
  return { ...params, ...(rate?.type === "integer" && { rate: { ...rate, default: SCALING_RATE } }) };
}

/** Reads `NAME [flags]`. Fails with ALLCORES_ERR_USAGE. */
export async function parseBenchCommand(
  [name = "", ...args]: readonly string[],
  scenarios: readonly ScenarioInfo[],
): Promise<BenchCommand> {
  const values = parseFlags(`bench ${name}`, args, flagsOf(name, scenarios));
  const command = ["allcores bench", name, ...args].join(" ");
  const outputs: Outputs = pickTexts(values, Object.keys(OUTPUT_FLAGS));
  if (name === "readme") {
    const steps = readmeSteps(loadOf(values), loadOf(values, SCALING_LOAD_FLAGS).loadLimits);
    return { request: { name, command, ...steps }, thresholds: {}, outputs: { ...README_OUTPUTS, ...outputs } };
  }
  if (name === "scaling") return { request: scalingRequest(command, values, scenarios), thresholds: {}, outputs };
  const request = await scenarioRequest(scenarioNamed(name, scenarios), command, values);
  return { request, thresholds: thresholdsOf(values), outputs };
}

async function scenarioRequest(scenario: ScenarioInfo, command: string, values: Params): Promise<BenchRequest> {
  const kinds = values.url === undefined ? startedKinds(values) : [externalKind(values)];
  for (const kind of kinds) checkNeeds(scenario, kind);
  const protocol = typeof values.appProtocol === "string" ? await loadProtocol(values.appProtocol) : undefined;
  if (protocol !== undefined) checkEvents(scenario, protocol);
  const plan: ScenarioPlan = {
    ...planOf(scenario, values),
    ...(protocol !== undefined && { protocol }),
    iOwnThisServer: values.iOwnThisServer === true,
  };
  const workers = Number(values.workers ?? SERVER_FLAGS.workers.default);
  const contenders = kinds.map((kind): Contender => ({ kind, workers: kind.usesWorkers ? workers : 1 }));
  return { name: scenario.name, command, steps: [{ plan, contenders, rounds: roundsOf(values) }] };
}

function scalingRequest(command: string, values: Params, scenarios: readonly ScenarioInfo[]): BenchRequest {
  const scaled = planOf(scenarioNamed(SCALED_SCENARIO, scenarios), { rate: SCALING_RATE, ...values });
  const plan = { ...scaled, ...loadOf(values, SCALING_LOAD_FLAGS) };
  const kinds = startedKinds({ ...values, compare: [FLOOR, values.compare ?? ""].join(",") });
  for (const kind of kinds) if (!kind.usesWorkers) throw usage(`${kind.name} has no workers to add.`);
  const workerCounts = readWorkerCounts(String(values.workers ?? DEFAULT_WORKER_COUNTS));
  const rounds = Number(values.rounds ?? COMPARED_ROUNDS);
  return { name: "scaling", command, steps: [], scaling: { plan, kinds, workerCounts, rounds } };
}

function planOf(scenario: ScenarioInfo, values: Params): ScenarioPlan {
  const params = pick(values, Object.keys(scenario.params));
  return { scenario: scenario.name, params, ...loadOf(values) };
}

/** How the load side is set up: as the flags say, or by the defaults of `table`. */
function loadOf(values: Params, table: LoadFlags = LOAD_FLAGS): { loadProcesses: number; loadLimits: LoadLimits } {
  const given = (name: keyof LoadFlags): number => Number(values[name] ?? table[name].default);
  return {
    loadProcesses: given("loadProcesses"),
    loadLimits: { maxBusy: given("maxLoadBusy") / 100, maxLagMs: given("maxLoadLag") },
  };
}

type LoadFlags = typeof LOAD_FLAGS | typeof SCALING_LOAD_FLAGS;

/** The server under test first, then those it is compared with, each once. */
function startedKinds(values: Params): TargetKind[] {
  const compared = String(values.compare ?? "").split(",");
  const names = [String(values.target ?? "allcores"), ...compared].map((name) => name.trim());
  return [...new Set(names.filter((name) => name !== ""))].map(findTarget);
}

function externalKind(values: Params): TargetKind {
  const { url } = values;
  if (values.compare !== undefined || values.target !== undefined || values.workers !== undefined) {
    throw usage("--url loads a server that runs: it goes with none of --target, --compare and --workers.");
  }
  if (!URL.canParse(String(url)) || !String(url).startsWith("http:")) {
    throw usage(`--url must be an http:// URL, got "${url}".`);
  }
  return urlTarget(String(url));
}

function checkNeeds({ name, needs }: ScenarioInfo, kind: TargetKind): void {
  const missing = needs.find((need) => !kind.can[need]);
  if (missing !== undefined)
    throw usage(`${name} needs a server that it can ${NEED_TEXT[missing]}: ${kind.name} is none.`);
}

const NEED_TEXT = { reload: "reload", killWorker: "kill a worker of" } as const;

function checkEvents({ name, events }: ScenarioInfo, protocol: AppProtocol): void {
  const missing = events.filter((event) => protocol.events[event] === undefined);
  if (missing.length === 0) return;
  throw usage(
    `${name} needs the events ${missing.join(", ")}, which the app protocol "${protocol.name}" does not have.`,
  );
}

function roundsOf(values: Params): number {
  return Number(values.rounds ?? (values.compare === undefined ? 1 : COMPARED_ROUNDS));
}

function readWorkerCounts(text: string): number[] {
  const counts = text.split(",").map(Number);
  if (counts.every((count) => Number.isInteger(count) && count >= 1 && count <= SERVER_FLAGS.workers.max)) {
    return [...new Set(counts)].sort((a, b) => a - b);
  }
  throw usage(`--workers must be whole numbers from 1 to ${SERVER_FLAGS.workers.max}, comma-separated, got "${text}".`);
}

function thresholdsOf({ maxP99, minRate, noLoss }: Params): Thresholds {
  return {
    ...(typeof maxP99 === "number" && { maxP99Ms: maxP99 }),
    ...(typeof minRate === "number" && { minRate }),
    ...(noLoss === true && { noLoss }),
  };
}

function scenarioNamed(name: string, scenarios: readonly ScenarioInfo[]): ScenarioInfo {
  const scenario = scenarios.find((one) => one.name === name);
  if (scenario !== undefined) return scenario;
  const meant = closestName(name, [...scenarios.map((one) => one.name), ...Object.keys(SETS)]);
  throw usage(`There is no scenario "${name}". ${meant === undefined ? "See --list." : `Did you mean ${meant}?`}`);
}

function pick(values: Params, names: readonly string[]): Params {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
}

function pickTexts(values: Params, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(pick(values, names)).map(([name, value]) => [name, String(value)]));
}

function usage(message: string): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_USAGE", message);
}
