// A whole result, as `--json` writes it. Everything printed and drawn is made from it.

import type { Run } from "./compare.ts";
import type { Params } from "./contract.ts";
import type { ScalingModel, ScalingPoint } from "./scaling.ts";
import type { ComparisonSummary } from "./summary.ts";
import type { Machine } from "./versions.ts";

export interface BenchResult {
  /** Goes up when a field changes its meaning or goes away. */
  readonly format: 1;
  /** Name of the scenario or of the set of scenarios. */
  readonly name: string;
  /** The command line that repeats it. */
  readonly command: string;
  /** ISO times. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly machine: Machine;
  readonly servers: readonly ServerAbout[];
  readonly scenarios: readonly ScenarioOutcome[];
  readonly scaling?: ScalingOutcome;
}

/** A server that was measured: what it is, and with which versions and settings. */
export interface ServerAbout {
  readonly name: string;
  readonly summary: string;
  readonly workers: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: readonly string[];
}

export interface ScenarioOutcome {
  readonly scenario: string;
  readonly params: Params;
  readonly rounds: number;
  readonly summary: ComparisonSummary;
  readonly runs: readonly Run[];
}

export interface ScalingOutcome {
  readonly scenario: string;
  readonly params: Params;
  readonly rounds: number;
  /** A run in which 1 % of messages left later than this, in milliseconds, is void. */
  readonly maxLagMs: number;
  /** The law that was fitted, and where it comes from. */
  readonly law: string;
  /** The runs that count. */
  readonly points: readonly ScalingPoint[];
  /** One model a server; none where too few runs count. */
  readonly models: readonly { readonly target: string; readonly model: ScalingModel }[];
  readonly runs: readonly Run[];
}
