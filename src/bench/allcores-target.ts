// allcores itself as a server under test: started by its CLI, driven through its control socket, as an operator would.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { AllcoresError } from "../errors.ts";
import { settledWithin, withDeadline } from "../lib/deadline.ts";
import { callBox } from "../primary/control-client.ts";
import type { BoxStatus } from "../primary/status.ts";
import { collectComplaints } from "./complaints.ts";
import type { PidsByRole } from "./contract.ts";
import { findFreePort } from "./free-port.ts";
import { killAtExit, killProcesses } from "./kill-processes.ts";
import { killWorker } from "./kill-worker.ts";
import type { StartedTarget } from "./targets.ts";

const CLI = fileURLToPath(new URL("../cli/main.js", import.meta.url));
const PLAIN_APP = fileURLToPath(new URL("./bench-app.js", import.meta.url));
const RECOVERING_APP = fileURLToPath(new URL("./bench-app-recovery.js", import.meta.url));
const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 15_000;
const RELOAD_DEADLINE_MS = 120_000;
const STATUS_DEADLINE_MS = 5_000;

/** A load client sends more than a person does; none of the baselines has such a limit. */
export const ALLCORES_SETTINGS = ["limits.eventsPerSecond: 0"];

export interface AllcoresVariant {
  readonly name: string;
  readonly bus: "box" | "ipc";
  /** Whether the app asks for session recovery. */
  readonly recovers: boolean;
}

export async function startAllcores(workers: number, variant: AllcoresVariant): Promise<StartedTarget> {
  const { name, bus, recovers } = variant;
  const app = recovers ? RECOVERING_APP : PLAIN_APP;
  const adminPort = await findFreePort();
  const server = spawn(process.execPath, [CLI, "start", app, ...flags(workers, bus, adminPort)], {
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own: Ctrl-C in a terminal reaches the bench, which stops the server in its own time.
    detached: true,
    env: {
      ...process.env,
      LOG_LEVEL: "warn",
      ALLCORES_LIMITS_EVENTS_PER_SECOND: "0",
      // Nobody comes back to a server that was measured.
      ALLCORES_RECOVERY_SAVE_STATE: "false",
    },
  });
  const complaints = collectComplaints(server.stderr);
  const call = (verb: string, timeoutMs: number) => callBox(verb, { adminPort, env: process.env, timeoutMs });
  let lastPids: PidsByRole = { primary: server.pid === undefined ? [] : [server.pid] };
  const pids = async (): Promise<PidsByRole> => {
    lastPids = pidsOf((await call("status", STATUS_DEADLINE_MS)) as BoxStatus);
    return lastPids;
  };
  const spare = killAtExit(() => lastPids);
  const stop = async (): Promise<void> => {
    await stopServer(server, () => lastPids);
    spare();
  };
  try {
    const url = await withDeadline(untilReady(server, complaints), START_DEADLINE_MS, "The start of allcores");
    await pids();
    const reload = async (): Promise<void> => void (await call("reload", RELOAD_DEADLINE_MS));
    const control = { stop, reload, killWorker: () => killWorker(pids) };
    return {
      name,
      urls: [url],
      ordersRooms: bus === "box",
      pids,
      control,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function flags(workers: number, bus: string, adminPort: number): string[] {
  const pairs = { host: "127.0.0.1", port: 0, workers, bus, "admin-port": adminPort };
  return Object.entries(pairs).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

function untilReady(server: ChildProcess, complaints: () => string): Promise<string> {
  let output = "";
  return new Promise((resolve, reject) => {
    server.once("exit", (code) => {
      const reason = complaints() || `it ended with exit code ${code}.`;
      reject(new AllcoresError("ALLCORES_ERR_BENCH", `allcores did not start: ${reason}`));
    });
    server.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(0, 10_000);
      const url = /http:\/\/[\w.:[\]]+:\d+/.exec(output)?.[0];
      if (url !== undefined) resolve(url);
    });
  });
}

function pidsOf(status: BoxStatus): PidsByRole {
  return {
    primary: [status.pid],
    socketWorker: status.workers.flatMap((worker) => worker.pid ?? []),
    cpu: status.cpu.pid === null ? [] : [status.cpu.pid],
  };
}

async function stopServer(server: ChildProcess, lastPids: () => PidsByRole): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return killProcesses(lastPids());
  const exited = once(server, "exit");
  server.kill("SIGTERM");
  if (await settledWithin(exited, STOP_DEADLINE_MS)) return;
  killProcesses(lastPids());
  await exited;
}
