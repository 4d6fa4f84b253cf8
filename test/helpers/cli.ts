// Runs the built CLI to its end, as a shell would: no terminal, no colours asked for.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { CLI } from "./box.ts";

export interface CliResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export async function runCli(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CliResult> {
  const { FORCE_COLOR: _force, LOG_LEVEL: _level, ...inherited } = process.env;
  const child = spawn(process.execPath, [CLI, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...inherited, ...env },
  });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code, out, err };
}
