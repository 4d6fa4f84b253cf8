// Which versions a result was measured with: a figure without them cannot be repeated.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const require = createRequire(import.meta.url);

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
}

export function describeMachine(): Machine {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    memoryBytes: totalmem(),
    kernel: readFileSync("/proc/sys/kernel/osrelease", "utf8").trim(),
    node: process.version,
  };
}

/** Where a baseline runs a Redis of its own, the server's version belongs in the result too. */
export const REDIS_SERVER = "redis-server";

/** The installed versions by package; one that is not installed is left out. */
export async function describeVersions(packages: readonly string[]): Promise<Record<string, string>> {
  const versions = await Promise.all(packages.map(async (name) => [name, await versionOf(name)] as const));
  return Object.fromEntries(versions.flatMap(([name, version]) => (version === undefined ? [] : [[name, version]])));
}

async function versionOf(name: string): Promise<string | undefined> {
  return name === REDIS_SERVER ? redisVersion() : packageVersion(name);
}

function packageVersion(name: string): string | undefined {
  try {
    return versionAbove(dirname(require.resolve(name)), name);
  } catch {
    return undefined;
  }
}

/** Not every package exports its package.json, so it is looked for above the file that `require` would load. */
function versionAbove(directory: string, name: string): string | undefined {
  const found = readManifest(join(directory, "package.json"));
  if (found?.name === name) return found.version;
  const parent = dirname(directory);
  return parent === directory ? undefined : versionAbove(parent, name);
}

function readManifest(path: string): { name?: string; version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

async function redisVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(REDIS_SERVER, ["--version"]);
    return /v=(\S+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}
