// What the server under test costs, by role, summed over processes that come and go. Deltas are added at each sample,
// so that a worker that dies does not take its share of the bill with it.

import type { PidsByRole, Role, RoleFigures } from "../contract.ts";
import { type ProcSample, readPssBytes, sampleProcess } from "./proc.ts";

const ROLES: readonly Role[] = ["primary", "socketWorker", "cpu", "redis"];

/** Sums since the first sample, and memory as it is now. */
export interface CostTotals {
  readonly cpuUs: RoleFigures;
  readonly syscalls: RoleFigures;
  readonly runQueueMs: RoleFigures;
  readonly rssBytes: RoleFigures;
}

type Sums = Map<Role, number>;
type Sampler = (pid: number) => ProcSample | undefined;

const NOTHING: ProcSample = { cpuUs: 0, reapedUs: 0, rssBytes: 0, syscalls: 0, runQueueMs: 0 };

export class CostMeter {
  readonly #pids: () => PidsByRole | Promise<PidsByRole>;
  readonly #sampleProcess: Sampler;
  readonly #last = new Map<number, ProcSample>();
  readonly #cpuUs: Sums = new Map();
  readonly #syscalls: Sums = new Map();
  readonly #runQueueMs: Sums = new Map();
  /** CPU, already counted, of processes that ended and were not yet waited for. */
  #endedUs = 0;
  #isFirst = true;

  /** `sample` reads one process; given in tests. */
  constructor(pids: () => PidsByRole | Promise<PidsByRole>, sample: Sampler = sampleProcess) {
    this.#pids = pids;
    this.#sampleProcess = sample;
  }

  async sample(): Promise<CostTotals> {
    const pids = await this.#pids();
    const rssBytes: Sums = new Map();
    const seen = new Set<number>();
    let reapedUs = 0;
    for (const role of ROLES) {
      for (const pid of pids[role] ?? []) {
        const now = this.#sampleProcess(pid);
        if (now === undefined) continue;
        seen.add(pid);
        reapedUs += this.#addProcess(role, pid, now);
        add(rssBytes, role, now.rssBytes);
      }
    }
    this.#settleReaped(reapedUs, seen);
    this.#isFirst = false;
    return {
      cpuUs: figures(this.#cpuUs),
      syscalls: figures(this.#syscalls),
      runQueueMs: figures(this.#runQueueMs),
      rssBytes: figures(rssBytes),
    };
  }

  /** Memory with shared pages split. Slow for large processes: once, not every second. */
  async pssBytes(): Promise<RoleFigures> {
    const pids = await this.#pids();
    const sums: Sums = new Map();
    for (const role of ROLES) {
      for (const pid of pids[role] ?? []) {
        const bytes = readPssBytes(pid);
        if (bytes !== undefined) add(sums, role, bytes);
      }
    }
    return figures(sums);
  }

  /** Returns what the primary's ended children cost in their whole lives, if it is one. */
  #addProcess(role: Role, pid: number, now: ProcSample): number {
    // A process that appears later was started during the run: all it did belongs to the run.
    const before = this.#last.get(pid) ?? (this.#isFirst ? now : NOTHING);
    this.#last.set(pid, now);
    add(this.#cpuUs, role, now.cpuUs - before.cpuUs);
    add(this.#syscalls, role, now.syscalls - before.syscalls);
    add(this.#runQueueMs, role, now.runQueueMs - before.runQueueMs);
    return role === "primary" ? now.reapedUs - before.reapedUs : 0;
  }

  /** Adds what ended workers did after their last sample. A process may be waited for some samples after it ended. */
  #settleReaped(reapedUs: number, seen: ReadonlySet<number>): void {
    for (const [pid, sample] of this.#last) {
      if (seen.has(pid)) continue;
      this.#endedUs += sample.cpuUs;
      this.#last.delete(pid);
    }
    const unknownUs = Math.max(0, reapedUs - this.#endedUs);
    this.#endedUs = Math.max(0, this.#endedUs - reapedUs);
    if (unknownUs > 0) add(this.#cpuUs, "socketWorker", unknownUs);
  }
}

/** `later - earlier`, by role. */
export function subtractFigures(later: RoleFigures, earlier: RoleFigures): RoleFigures {
  return mapFigures(later, (value, role) => value - (earlier[role] ?? 0));
}

/** `a + b`, by role. */
export function addFigures(a: RoleFigures, b: RoleFigures): RoleFigures {
  return { ...a, ...mapFigures(b, (value, role) => (a[role] ?? 0) + value) };
}

/** Every figure through `change`. */
export function mapFigures(values: RoleFigures, change: (value: number, role: Role | "total") => number): RoleFigures {
  const entries = Object.entries(values) as [Role | "total", number][];
  return Object.fromEntries(entries.map(([role, value]) => [role, change(value, role)])) as unknown as RoleFigures;
}

function add(sums: Sums, role: Role, value: number): void {
  sums.set(role, (sums.get(role) ?? 0) + value);
}

function figures(sums: Sums): RoleFigures {
  const total = [...sums.values()].reduce((sum, value) => sum + value, 0);
  return { ...(Object.fromEntries(sums) as { [R in Role]?: number }), total };
}
