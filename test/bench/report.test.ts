import { describe, expect, test } from "vitest";
import { markdownReport, svgReport, terminalReport } from "../../dist/src/bench/report/report.js";
import type { Run } from "../../src/bench/compare.ts";
import type { BenchResult, ScalingOutcome } from "../../src/bench/result.ts";
import { modelScaling, SCALING_LAW, type ScalingPoint } from "../../src/bench/scaling.ts";
import { summarizeRuns } from "../../src/bench/summary.ts";
import { runResult } from "./run-result.ts";

const runs: Run[] = [0, 1, 2].flatMap((round) => [
  { round, target: "allcores", workers: 4, voidReasons: [], result: runResult({ costUs: 10 + round / 10 }) },
  {
    round,
    target: "official",
    workers: 4,
    voidReasons: ["3 connects hung"],
    result: runResult({ target: "official" }),
  },
  { round, target: "single", workers: 1, voidReasons: [], result: runResult({ target: "single", costUs: 8 }) },
]);

const points = [1, 2, 4].flatMap((workers): ScalingPoint[] =>
  [0, 1].flatMap((round) => [
    { target: "allcores", workers, round, costUs: 10 + workers, primaryUs: 0.5, machineBusy: 0.8 },
    { target: "floor", workers, round, costUs: 9 + workers, primaryUs: 0, machineBusy: 0.7 },
  ]),
);

const model = modelScaling(points, "allcores");

const scaling: ScalingOutcome = {
  scenario: "rooms",
  params: { rate: 2_000 },
  rounds: 2,
  maxLagMs: 150,
  law: SCALING_LAW,
  points,
  models: model === undefined ? [] : [{ target: "allcores", model }],
  runs: [
    ...points.map(({ round, target, workers }) => ({ round, target, workers, voidReasons: [] })),
    { round: 0, target: "floor", workers: 16, voidReasons: ["the load side was the bottleneck"] },
  ],
};

const result: BenchResult = {
  format: 1,
  name: "rooms",
  command: "allcores bench rooms --compare official,single --rounds 3",
  startedAt: "2026-01-02T03:04:05.000Z",
  finishedAt: "2026-01-02T03:06:35.000Z",
  machine: { cores: 2, cpu: "A Processor", memoryBytes: 8 * 2 ** 30, kernel: "6.1.0", node: "v20.19.0" },
  servers: [
    {
      name: "single",
      summary: "one plain Socket.IO process",
      workers: 1,
      versions: { "socket.io": "4.8.4" },
      settings: ["a: 1"],
    },
  ],
  scenarios: [{ scenario: "rooms", params: { rate: 2_000 }, rounds: 3, summary: summarizeRuns(runs), runs }],
  scaling,
};

describe("a result on the terminal", () => {
  const text = terminalReport(result, false);
  const rowOf = (title: string, name: string) => {
    const lines = text.slice(text.indexOf(title)).split("\n");
    return lines.find((line) => line.startsWith(name)) ?? "";
  };

  test("says what was run, when, on what machine and with which versions and settings", () => {
    expect(text).toContain("command  allcores bench rooms --compare official,single --rounds 3");
    expect(text).toContain("2026-01-02 03:04 UTC, 2.5 minutes");
    expect(text).toContain("2 cores, A Processor, 8 GB, Linux 6.1.0, Node v20.19.0");
    expect(text).toContain("single   one plain Socket.IO process; socket.io 4.8.4; a: 1");
  });

  test("has medians with their spread", () => {
    expect(rowOf("rooms: figures", "allcores")).toMatch(/20,000 ±0%.* 10\.1 ±1%/);
  });

  test("has no figure of a server whose runs were all void, and says why", () => {
    expect(rowOf("rooms: figures", "official")).toMatch(/^official \(4 workers\)( +void)+$/);
    expect(text).toContain("official: 3 of 3 runs void: 3 connects hung");
  });

  test("has ratios with their spread", () => {
    expect(rowOf("compared with allcores", "single")).toContain("×0.79 ±1%");
    expect(text).toContain("CPU-µs/message ↓");
  });

  test("has what only this scenario has in a table of its own, a row a figure", () => {
    const figures = [{ name: "gap", label: "longest gap", value: 12.5, unit: "ms", better: "lower" as const }];
    const own: Run[] = [{ round: 0, target: "allcores", workers: 2, voidReasons: [], result: runResult({ figures }) }];
    const scenarios = [{ scenario: "jitter", params: {}, rounds: 1, summary: summarizeRuns(own), runs: own }];

    const printed = terminalReport({ ...result, scenarios }, false);

    expect(printed).toMatch(/jitter: what it is about\nfigure +allcores \(2 workers\)\nlongest gap, ms ↓ +12\.5\n/);
    expect(printed).not.toMatch(/^server.*longest gap/m);
  });

  test("has what clients of a server that lost messages went through, with the loss beside it", () => {
    const figures = [
      {
        name: "gap",
        label: "longest gap",
        value: 2_100,
        unit: "ms",
        better: "lower" as const,
        despiteLoss: true as const,
      },
      { name: "memory", label: "memory", value: 5, unit: "kB", better: "lower" as const },
    ];
    const voidReasons = ["339 messages were missed"];
    const lossy = runResult({ target: "official", figures, voidReasons, isBenchSound: true });
    const lossyRuns: Run[] = [
      { round: 0, target: "allcores", workers: 2, voidReasons: [], result: runResult({ figures }) },
      { round: 0, target: "official", workers: 2, voidReasons, result: lossy },
    ];
    const scenarios = [
      { scenario: "reload", params: {}, rounds: 1, summary: summarizeRuns(lossyRuns), runs: lossyRuns },
    ];

    const printed = terminalReport({ ...result, scenarios }, false);

    expect(printed).toMatch(/^longest gap, ms ↓ +2,100\.0 +2,100\.0$/m);
    expect(printed).toMatch(/^memory, kB ↓ +5\.0 +void$/m);
    expect(printed).toMatch(/^official \(2 workers\)( +void)+$/m);
    expect(printed).not.toContain("compared with allcores");
    expect(printed).toContain(
      "official: this is what its clients went through; its speed and cost are void: 339 messages",
    );
  });

  test("marks what is modelled, with its band, and what was void", () => {
    expect(text).toContain("MODEL: delivered messages a second of allcores");
    expect(rowOf("MODEL", "64")).toMatch(/\[\S+ to \S+\]/);
    expect(rowOf("measured:", "allcores (4 workers)")).toMatch(/14\.0 ±0% +×1\.08 ±0% +0\.50 +4 % +80 %$/);
    expect(text).not.toContain("only 70 % busy");
    expect(text).toContain("A run is void here when 1 % of messages left more than 150 ms late.");
    expect(text).toContain("floor (16 workers): 1 of 1 runs void: the load side was the bottleneck");
  });

  test("says when the machine was too idle for the model to be fair", () => {
    const idle = {
      ...result,
      scaling: { ...scaling, points: points.map((point) => ({ ...point, machineBusy: 0.3 })) },
    };

    expect(terminalReport(idle, false)).toContain("The machine was only 30 % busy in some runs");
  });

  test("has no escape codes where there is no terminal", () => {
    expect(text).not.toContain("\u001b");
    expect(terminalReport(result, true)).toContain("\u001b[1mrooms: figures");
  });
});

describe("a result for the README", () => {
  test("has its tables as Markdown", () => {
    const markdown = markdownReport(result);

    expect(markdown).toContain("- command: allcores bench rooms --compare official,single --rounds 3");
    expect(markdown).toMatch(/^\| server \| delivered\/s \|/m);
    expect(markdown).toMatch(/^\| --- \| --: \|/m);
    expect(markdown).not.toContain("rooms: delivery");
  });

  test("has the scaling curve as an SVG that follows the colour scheme", () => {
    const svg = svgReport(result);

    expect(svg).toContain('<title id="t">Cost per delivered message</title>');
    expect(svg.match(/<polyline/g)).toHaveLength(2);
    expect(svg).toContain("prefers-color-scheme: dark");
    expect(svg).not.toContain("NaN");
  });

  test("has the latency as an SVG where nothing was scaled", () => {
    const { scaling: _scaling, ...rest } = result;

    expect(svgReport(rest)).toMatch(/>90 %<.*>99 %</s);
  });
});

test("a result survives JSON", () => {
  expect(JSON.parse(JSON.stringify(result)).scenarios[0].summary.targets[0].measures.p99.median).toBe(8);
});
