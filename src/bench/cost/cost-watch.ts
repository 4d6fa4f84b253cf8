// Watches a target's processes through a run: the measured time's share of their costs, and their highest memory.

import type { PidsByRole, Role, RoleFigures, ServerCost } from "../contract.ts";
import { CostMeter, type CostTotals, mapFigures, subtractFigures } from "./cost-meter.ts";

export class CostWatch {
  readonly #meter: CostMeter;
  #peakRss: RoleFigures = { total: 0 };
  #begin: CostTotals | undefined;
  #end: CostTotals | undefined;
  #pssBefore: RoleFigures | undefined;
  #pssAfter: RoleFigures | undefined;

  constructor(pids: () => PidsByRole | Promise<PidsByRole>) {
    this.#meter = new CostMeter(pids);
  }

  /** Memory before the first client connected. */
  get pssBefore(): RoleFigures | undefined {
    return this.#pssBefore;
  }

  /** Before any client connects. */
  async open(): Promise<void> {
    await this.sample();
    this.#pssBefore = await this.#meter.pssBytes();
  }

  async sample(): Promise<CostTotals> {
    const totals = await this.#meter.sample();
    this.#peakRss = highest(this.#peakRss, totals.rssBytes);
    return totals;
  }

  async beginMeasuring(): Promise<void> {
    this.#begin = await this.sample();
  }

  async endMeasuring(): Promise<CostTotals> {
    this.#end = await this.sample();
    this.#pssAfter = await this.#meter.pssBytes();
    return this.#end;
  }

  /** Costs of the measured time. */
  cost(delivered: number, measuredMs: number): ServerCost | undefined {
    if (this.#begin === undefined || this.#end === undefined || this.#pssAfter === undefined) return undefined;
    const perMessage = (figures: RoleFigures): RoleFigures =>
      mapFigures(figures, (value) => (delivered === 0 ? 0 : value / delivered));
    const cpuUs = subtractFigures(this.#end.cpuUs, this.#begin.cpuUs);
    const waitMs = subtractFigures(this.#end.runQueueMs, this.#begin.runQueueMs);
    return {
      cpuUs,
      cpuUsPerMessage: perMessage(cpuUs),
      syscallsPerMessage: perMessage(subtractFigures(this.#end.syscalls, this.#begin.syscalls)),
      rssBytes: this.#peakRss,
      pssBytes: this.#pssAfter,
      runQueueMsPerSecond: mapFigures(waitMs, (ms) => ms / (measuredMs / 1000)),
    };
  }
}

function highest(a: RoleFigures, b: RoleFigures): RoleFigures {
  const roles = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<Role>;
  const entries = [...roles].map((role) => [role, Math.max(a[role] ?? 0, b[role] ?? 0)] as const);
  return { ...Object.fromEntries(entries), total: Math.max(a.total, b.total) };
}
