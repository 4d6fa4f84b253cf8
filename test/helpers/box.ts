// A real box for tests: the built CLI in a child process, on free ports, in a runtime folder of its own.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withDeadline } from "../../src/lib/deadline.ts";
import type { BoxStatus } from "../../src/primary/status.ts";

export const CLI = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));

/** Path of a fixture, by its name in test/fixtures/. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

export interface BoxOptions {
  /** File name in test/fixtures/, or an absolute path. Without one: the demo. */
  readonly app?: string;
  readonly workers?: number;
  readonly flags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Most file descriptors that the primary, and each process that it starts, may have. */
  readonly maxFds?: number;
}

export interface TestBox {
  readonly url: string;
  readonly adminUrl: string;
  readonly child: ChildProcess;
  /** Folder of its unix sockets. */
  readonly runtimeDir: string;
  /** Everything the box has written to stderr so far. */
  readonly stderr: () => string;
  readonly status: () => Promise<BoxStatus>;
  /** Resolves with the exit code when the box has ended, however that came about. */
  readonly exited: Promise<number | null>;
  /** SIGTERM, then waits for the end; SIGKILL when it takes too long. Safe to call twice. */
  readonly stop: () => Promise<number | null>;
}

const running = new Set<() => Promise<unknown>>();

/** Stops every box that still runs: after a test that failed before it came to that. */
export async function stopLeftovers(): Promise<void> {
  const outcomes = await Promise.allSettled([...running].map((stop) => stop()));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

/** Starts a box and waits for its ready line. Rejects with its stderr when it ends instead. */
export async function startBox(options: BoxOptions = {}): Promise<TestBox> {
  const runtimeDir = await mkdtemp(join(tmpdir(), "allcores-test-"));
  const child = spawnBox(options, runtimeDir);
  let stderr = "";
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  const stop = (): Promise<number | null> => stopChild(child, exited);
  running.add(stop);
  const exited = once(child, "exit").then(async ([code]) => {
    running.delete(stop);
    await rm(runtimeDir, { recursive: true, force: true });
    return code as number | null;
  });

  const readyLine = await Promise.race([firstLine(child), exited.then((code) => failed(code, stderr))]);
  const url = /http:\/\/\S+/.exec(readyLine)?.[0] ?? "";
  const adminUrl = /admin (http:\/\/\S+?)[,\s]*$/m.exec(readyLine)?.[1] ?? "";
  return {
    url: url.replace(/[,.]$/, ""),
    adminUrl,
    child,
    runtimeDir,
    stderr: () => stderr,
    status: async () => (await (await fetch(`${adminUrl}/api/status`)).json()) as BoxStatus,
    exited,
    stop,
  };
}

function spawnBox({ app, workers = 2, flags = [], env = {}, maxFds }: BoxOptions, runtimeDir: string): ChildProcess {
  const appArgs = app === undefined ? [] : [app.startsWith("/") ? app : fixture(app)];
  const standard = ["--port", "0", "--host", "127.0.0.1", "--admin-port", "0", "--workers", String(workers)];
  const command = [process.execPath, CLI, "start", ...appArgs, ...standard, ...flags];
  const [program = "", ...args] = maxFds === undefined ? command : ["prlimit", `--nofile=${maxFds}`, ...command];
  return spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      XDG_RUNTIME_DIR: runtimeDir,
      RUNTIME_DIRECTORY: runtimeDir,
      STATE_DIRECTORY: runtimeDir,
      ...env,
    },
  });
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) resolve(text);
    });
  });
}

function failed(code: number | null, stderr: string): never {
  throw new Error(`The box ended with exit code ${code} before it was ready:\n${stderr}`);
}

async function stopChild(child: ChildProcess, exited: Promise<number | null>): Promise<number | null> {
  child.kill("SIGTERM");
  return withDeadline(exited, 60_000, "Stopping the box").catch(async (error: unknown) => {
    child.kill("SIGKILL");
    await exited;
    throw error;
  });
}
