// One plain Socket.IO server with the bench app, in a process of its own.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Target } from "../../src/bench/contract.ts";
import { fixture } from "./box.ts";

export interface BenchServer {
  readonly child: ChildProcess;
  readonly target: Target;
}

/** `recovery`: with Socket.IO's own connection state recovery. */
export async function startBenchServer(...args: "recovery"[]): Promise<BenchServer> {
  const stdio = ["ignore", "pipe", "inherit", "ipc"] as const;
  const child = fork(fixture("plain-bench-server.mjs"), args, { stdio: [...stdio], execArgv: [] });
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  const target = { name: "plain", urls: [String(line).trim()], pids: () => ({ socketWorker: [child.pid ?? 0] }) };
  return { child, target };
}

export async function endServer({ child }: BenchServer): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
