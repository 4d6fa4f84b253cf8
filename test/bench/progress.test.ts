import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { Progress } from "../../src/bench/contract.ts";
import { ProgressPrinter } from "../../src/bench/report/progress.ts";
import { runResult } from "./run-result.ts";

class Screen extends Writable {
  readonly isTTY: boolean;
  readonly columns = 60;
  text = "";

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

const progress = (done: number, phase: Progress["phase"] = "measuring"): Progress => {
  return { phase, done, connected: 400, sentRate: 2_000, deliveredRate: 19_980, p99Ms: 8.12 };
};

describe("progress", () => {
  test("on a terminal is one line with bar, rate and p99 that redraws itself and never wraps", () => {
    const screen = new Screen(true);
    const printer = new ProgressPrinter(screen);

    printer.update("rooms", progress(0.5));
    printer.update("rooms", progress(0.55));

    const [, first = "", second = ""] = screen.text.split("\r\u001b[2K");
    expect(first).toMatch(/^rooms {2}█{10}░{10} measuring {2}400 clients/);
    expect(second).toContain("█".repeat(11));
    expect(screen.text).not.toContain("\n");
    expect(second.length).toBeLessThan(60);
  });

  test("anywhere else is a line a phase, and one for each quarter of the run", () => {
    const screen = new Screen(false);
    const printer = new ProgressPrinter(screen);

    for (const done of [0.1, 0.2, 0.3, 0.36, 0.5, 0.62]) printer.update("rooms", progress(done));
    printer.update("rooms", progress(0.63, "settling"));

    const lines = screen.text.trimEnd().split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[0]).toContain("measuring  400 clients  19,980/s  p99 8.1 ms");
    expect(lines[3]).toContain("settling");
  });

  test.each([
    [[], "rooms  delivered/s 20,000  p99 ms 8.0  CPU-µs/message 10.0\n"],
    [["3 connects hung"], "rooms  VOID: 3 connects hung\n"],
  ])("ends with what the run came to: void reasons %j", (voidReasons, line) => {
    const screen = new Screen(false);

    new ProgressPrinter(screen).finish("rooms", {
      round: 0,
      target: "a",
      workers: 1,
      voidReasons,
      result: runResult(),
    });

    expect(screen.text).toBe(line);
  });
});
