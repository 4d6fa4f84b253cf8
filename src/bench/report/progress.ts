// What is seen while a run goes on: one line that redraws itself on a terminal, a few plain lines anywhere else.

import type { Terminal } from "../../cli/verb.ts";
import type { Run } from "../compare.ts";
import type { Progress, RunPhase } from "../contract.ts";
import { measuresOf } from "../measures.ts";
import { formatNumber } from "./format.ts";

const BAR_WIDTH = 20;
/** Without a terminal a line is printed each time this much more of the run is done. */
const STEP = 0.25;
const CLEAR_LINE = "\r\u001b[2K";

export class ProgressPrinter {
  readonly #stream: Terminal["err"];
  #lastPhase: RunPhase | undefined;
  #lastDone = 0;

  constructor(stream: Terminal["err"]) {
    this.#stream = stream;
  }

  /** A scenario, or a part of a set, begins. */
  announce(text: string): void {
    this.#stream.write(`${text}\n`);
  }

  /** Once a second. `about` says which server, scenario and round. */
  update(about: string, progress: Progress): void {
    if (this.#stream.isTTY === true) {
      const line = progressLine(about, progress);
      this.#stream.write(`${CLEAR_LINE}${line.slice(0, (this.#stream.columns ?? 80) - 1)}`);
      return;
    }
    if (progress.phase === this.#lastPhase && progress.done < this.#lastDone + STEP) return;
    this.#lastPhase = progress.phase;
    this.#lastDone = progress.done;
    this.#stream.write(`${progressLine(about, progress)}\n`);
  }

  /** A run is over: what it came to, on a line that stays. */
  finish(about: string, run: Run): void {
    if (this.#stream.isTTY === true) this.#stream.write(CLEAR_LINE);
    this.#lastPhase = undefined;
    this.#lastDone = 0;
    this.#stream.write(`${about}  ${outcomeText(run)}\n`);
    if (run.complaints !== undefined) this.#stream.write(`${run.complaints.replace(/^/gm, "    | ")}\n`);
  }
}

function progressLine(about: string, { phase, done, connected, deliveredRate, p99Ms }: Progress): string {
  const filled = Math.round(Math.min(Math.max(done, 0), 1) * BAR_WIDTH);
  const bar = `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)}`;
  const p99 = p99Ms === undefined ? "" : `  p99 ${formatNumber(p99Ms, 1)} ms`;
  return `${about}  ${bar} ${phase}  ${formatNumber(connected, 0)} clients  ${formatNumber(deliveredRate, 0)}/s${p99}`;
}

/** The figures that every scenario has; of one without traffic, such as a storm of connections, its own. */
function outcomeText({ result, voidReasons }: Run): string {
  if (voidReasons.length > 0) return `VOID: ${voidReasons.join("; ")}`;
  if (result === undefined) return "no result";
  const hasTraffic = result.counts.expected > 0;
  const measures = measuresOf([result]).filter(({ name, isOwn }) => (hasTraffic ? SHOWN.has(name) : isOwn === true));
  return measures.map(({ label, digits, read }) => `${label} ${formatNumber(read(result) ?? 0, digits)}`).join("  ");
}

const SHOWN = new Set(["deliveredRate", "p99", "cpuUsPerMessage"]);
