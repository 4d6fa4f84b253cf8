import { describe, expect, test } from "vitest";
import { LabelCounter } from "../../src/metrics/label-counter.ts";

describe("LabelCounter", () => {
  test("counts each combination of label values for itself", () => {
    const counter = new LabelCounter(["code", "stage"]);

    counter.add("A", "setup");
    counter.add("A", "setup");
    counter.add("A", "handler");

    expect(counter.samples({ slot: 1 })).toEqual([
      { labels: { slot: 1, code: "A", stage: "setup" }, value: 2 },
      { labels: { slot: 1, code: "A", stage: "handler" }, value: 1 },
    ]);
  });

  // A label that a client could choose would otherwise grow the primary and Prometheus without bound.
  test("counts what comes after the last allowed series as other", () => {
    const counter = new LabelCounter(["reason"], { maxSeries: 2 });

    for (const reason of ["a", "b", "c", "d", "a"]) counter.add(reason);

    expect(counter.samples()).toEqual([
      { labels: { reason: "a" }, value: 2 },
      { labels: { reason: "b" }, value: 1 },
      { labels: { reason: "other" }, value: 2 },
    ]);
  });

  test("does not take two values for one that contains both", () => {
    const counter = new LabelCounter(["code", "stage"]);

    counter.add("A B", "C");
    counter.add("A", "B C");

    expect(counter.samples().map(({ value }) => value)).toEqual([1, 1]);
  });
});
