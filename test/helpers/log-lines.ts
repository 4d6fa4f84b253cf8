// A logger that keeps its lines for the test to look at.

import { Writable } from "node:stream";
import { createLogger, type Logger } from "../../src/lib/logger.ts";

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export function collectLog(): { readonly log: Logger; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(JSON.parse(String(chunk)) as LogLine);
      done();
    },
  });
  return { log: createLogger({ level: "debug", stream, pretty: false }), lines };
}
