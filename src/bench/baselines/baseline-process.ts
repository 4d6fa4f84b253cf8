// One process of a baseline: from its start to its end, whatever state it is in.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { AllcoresError } from "../../errors.ts";
import { settledWithin, withDeadline } from "../../lib/deadline.ts";
import { collectComplaints } from "../complaints.ts";
import type { PidsByRole } from "../contract.ts";
import { killAtExit, killProcesses } from "../kill-processes.ts";

/** What the process of a baseline tells the one that started it. */
export type BaselineMessage =
  | { readonly type: "ready"; readonly urls: readonly string[]; readonly pids: PidsByRole }
  | { readonly type: "pids"; readonly pids: PidsByRole }
  | { readonly type: "failed"; readonly message: string };

export interface BaselineProcess {
  readonly urls: readonly string[];
  readonly pids: () => PidsByRole;
  readonly complaints: () => string;
  readonly stop: () => Promise<void>;
}

const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 5_000;

/** Resolves once it serves, on `port` or, with 0, on a free one. */
export async function startProcess(name: string, workers: number, port: number): Promise<BaselineProcess> {
  const child = fork(new URL("./run.js", import.meta.url), [name, String(workers), String(port)], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    // Nothing that was meant for the bench itself, such as --inspect.
    execArgv: [],
    // A process group of its own: Ctrl-C in a terminal reaches the bench, which stops the server in its own time.
    detached: true,
  });
  const complaints = collectComplaints(child.stderr);
  let pids: PidsByRole = {};
  child.on("message", (message: BaselineMessage) => {
    if (message.type !== "failed") pids = message.pids;
  });
  const spare = killAtExit(() => pids);
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= stopBaseline(child, () => pids).then(spare);
    return stopped;
  };
  try {
    const urls = await withDeadline(
      untilReady(child, name, complaints),
      START_DEADLINE_MS,
      `The start of the ${name} baseline`,
    );
    return { urls, pids: () => pids, complaints, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function untilReady(child: ChildProcess, name: string, complaints: () => string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void =>
      reject(new AllcoresError("ALLCORES_ERR_BENCH", `The ${name} baseline did not start: ${reason}`));
    child.once("exit", (code) => fail(complaints() || `it ended with exit code ${code}.`));
    child.on("message", (message: BaselineMessage) => {
      if (message.type === "ready") resolve(message.urls);
      if (message.type === "failed") fail(message.message);
    });
  });
}

async function stopBaseline(child: ChildProcess, pids: () => PidsByRole): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return killProcesses(pids());
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  if (await settledWithin(exited, STOP_DEADLINE_MS)) return;
  child.kill("SIGKILL");
  killProcesses(pids());
  await exited;
}
