// What a child process prints, as lines of the log: read whatever comes, since a full pipe would block the child, but
// log only so much of it.

import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import type { Logger } from "../lib/logger.ts";

const MAX_LINE_LENGTH = 4096;
const MAX_LINES_PER_SECOND = 100;

/** Logs stdout and stderr of `child`; the lines over the limit are counted. */
export function logOutput(child: ChildProcess, log: Logger): void {
  const budget = new LineBudget(log);
  // Neither is there when the process could not be forked.
  if (child.stdout) readLines(child.stdout, (line) => budget.log("stdout", line));
  if (child.stderr) readLines(child.stderr, (line) => budget.log("stderr", line));
}

class LineBudget {
  readonly #log: Logger;
  #left = MAX_LINES_PER_SECOND;
  #refill: NodeJS.Timeout | undefined;
  #skipped = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  log(stream: "stdout" | "stderr", line: string): void {
    this.#refill ??= setTimeout(() => this.#onSecond(), 1000).unref();
    if (this.#left > 0) {
      this.#left--;
      this.#log.info({ stream }, line);
    } else {
      this.#skipped++;
    }
  }

  #onSecond(): void {
    if (this.#skipped > 0) this.#log.warn({ skipped: this.#skipped }, "more output than is logged");
    this.#left = MAX_LINES_PER_SECOND;
    this.#skipped = 0;
    this.#refill = undefined;
  }
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") onLine(line.slice(0, MAX_LINE_LENGTH));
    if (rest.length > MAX_LINE_LENGTH) rest = rest.slice(0, MAX_LINE_LENGTH);
  });
  stream.on("end", () => rest !== "" && onLine(rest));
  stream.on("error", () => {});
}
