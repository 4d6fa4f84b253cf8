// The flags of `allcores bench` that belong to no scenario.

import { availableParallelism } from "node:os";
import { SCALING_MAX_LAG_MS } from "../bench/scaling.ts";
import type { FlagTable } from "./flag-table.ts";

const MAX_WORKERS = 128;

export const SERVER_FLAGS = {
  workers: {
    type: "integer",
    default: availableParallelism(),
    min: 1,
    max: MAX_WORKERS,
    doc: "Socket workers of each server that has workers.",
  },
  target: { type: "text", shows: "NAME", doc: "The server under test, see --list. Default allcores." },
  compare: { type: "text", shows: "LIST", doc: "Servers to run side by side with it, comma-separated, see --list." },
  rounds: {
    type: "integer",
    min: 1,
    max: 100,
    doc: "How often each server is measured, interleaved. Default 1, with --compare 3.",
  },
} as const satisfies FlagTable;

export const URL_FLAGS = {
  url: { type: "text", shows: "URL", doc: "Loads a server that already runs, instead of starting one." },
  appProtocol: {
    type: "text",
    shows: "NAME|FILE",
    doc: "Which events its app understands: bench, demo, or a JSON file. Default bench.",
  },
  iOwnThisServer: { type: "boolean", default: false, doc: "Allows --url to name an address that is not loopback." },
} as const satisfies FlagTable;

export const LOAD_FLAGS = {
  loadProcesses: { type: "integer", default: 2, min: 1, max: 64, doc: "Processes that make the load." },
  maxLoadBusy: {
    type: "integer",
    default: 90,
    min: 1,
    max: 100,
    doc: "A run is void when a load process was busier than this, in percent of its time.",
  },
  maxLoadLag: {
    type: "integer",
    default: 50,
    min: 1,
    max: 3_600_000,
    doc: "A run is void when 1 % of messages left later than this many milliseconds after they were due.",
  },
} as const satisfies FlagTable;

/** What `scaling` has instead: it measures the cost of a message, never how long one took. */
export const SCALING_LOAD_FLAGS = {
  ...LOAD_FLAGS,
  maxLoadLag: { ...LOAD_FLAGS.maxLoadLag, default: SCALING_MAX_LAG_MS },
} as const satisfies FlagTable;

export const SCALING_FLAGS = {
  ...SERVER_FLAGS,
  workers: { type: "text", shows: "LIST", doc: "Numbers of workers to measure, comma-separated. Default 1,2,4,8,16." },
} as const satisfies FlagTable;

export const THRESHOLD_FLAGS = {
  maxP99: { type: "integer", min: 1, max: 3_600_000, doc: "Exit code 2 when p99 is above this many milliseconds." },
  minRate: { type: "integer", min: 1, max: 1e9, doc: "Exit code 2 when fewer messages a second were delivered." },
  noLoss: { type: "boolean", default: false, doc: "Exit code 2 when anything was lost, repeated or out of order." },
} as const satisfies FlagTable;

export const OUTPUT_FLAGS = {
  json: {
    type: "optionalText",
    shows: "FILE",
    doc: "Writes the whole result as JSON; alone, to stdout instead of tables.",
  },
  html: { type: "text", shows: "FILE", doc: "Writes the report as one page with charts." },
  svg: { type: "text", shows: "FILE", doc: "Writes the main curve as a picture." },
  markdown: { type: "text", shows: "FILE", doc: "Writes the tables as Markdown." },
} as const satisfies FlagTable;

export const README_FLAGS = { ...LOAD_FLAGS, ...OUTPUT_FLAGS } as const satisfies FlagTable;

/** Where the README's set goes unless a flag says otherwise. */
export const README_OUTPUTS = {
  json: "bench-results/readme.json",
  html: "bench-results/readme.html",
  svg: "bench-results/readme.svg",
  markdown: "bench-results/readme.md",
} as const;
