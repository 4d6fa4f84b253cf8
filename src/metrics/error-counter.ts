// Counts caught errors by code and stage. Codes that are not allcores' own are one series: an app may invent any number.

import { ERROR_CODES } from "../errors.ts";
import type { MetricSample } from "./family.ts";
import { LabelCounter } from "./label-counter.ts";

export class ErrorCounter {
  readonly #counts = new LabelCounter(["code", "stage"]);

  get total(): number {
    return this.#counts.total;
  }

  /** `stage` is one of few words that say where the error came from. */
  add(error: unknown, stage: string): void {
    const { code } = Object(error) as { code?: unknown };
    this.#counts.add(ERROR_CODES.find((known) => known === code) ?? "other", stage);
  }

  samples(): MetricSample[] {
    return this.#counts.samples();
  }
}
