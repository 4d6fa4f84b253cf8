// A systemd-notify that writes down what it was called with, one line a call, first in PATH.

import { readFileSync } from "node:fs";
import { chmod, mkdtemp, rm, watch, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

export class RecordingSystemdNotify {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(): Promise<RecordingSystemdNotify> {
    const recorder = new RecordingSystemdNotify(await mkdtemp(join(tmpdir(), "allcores-notify-")));
    await writeFile(recorder.#record, "");
    const program = join(recorder.#folder, "systemd-notify");
    await writeFile(program, `#!/bin/sh\nprintf '%s\\n' "$NOTIFY_SOCKET $*" >> '${recorder.#record}'\n`);
    await chmod(program, 0o755);
    return recorder;
  }

  /** The PATH to run with. */
  get path(): string {
    return `${this.#folder}${delimiter}${process.env.PATH}`;
  }

  calls(): string[] {
    return readFileSync(this.#record, "utf8").split("\n").slice(0, -1);
  }

  /** Resolves when there are `count` calls that have `words` in them. */
  async called(words: string, count = 1): Promise<void> {
    const isDone = (): boolean => this.calls().filter((call) => call.includes(words)).length >= count;
    const changes = watch(this.#folder, { signal: AbortSignal.timeout(60_000) });
    if (isDone()) return;
    for await (const _change of changes) if (isDone()) return;
  }

  remove(): Promise<void> {
    return rm(this.#folder, { recursive: true });
  }

  get #record(): string {
    return join(this.#folder, "calls");
  }
}
