// A Redis server for one baseline, on a free port of the loopback address, which writes nothing to disk.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { AllcoresError } from "../../errors.ts";
import { settledWithin, withDeadline } from "../../lib/deadline.ts";
import { findFreePort } from "../free-port.ts";

export interface LocalRedis {
  readonly port: number;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

const START_DEADLINE_MS = 10_000;
const STOP_DEADLINE_MS = 2_000;

export async function startLocalRedis(): Promise<LocalRedis> {
  const port = await findFreePort();
  const arguments_ = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "/"];
  const server = spawn("redis-server", arguments_, { stdio: ["ignore", "pipe", "ignore"] });
  await withDeadline(untilReady(server), START_DEADLINE_MS, "The start of redis-server");
  return { port, pid: server.pid ?? 0, stop: () => stopServer(server) };
}

function untilReady(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause?: Error): void =>
      reject(new AllcoresError("ALLCORES_ERR_BENCH", "redis-server did not start. Is Redis 7 installed?", { cause }));
    server.once("error", fail);
    server.once("exit", () => fail());
    server.stdout?.setEncoding("utf8").on("data", (text: string) => {
      if (text.includes("Ready to accept connections")) resolve();
    });
  });
}

async function stopServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, "exit");
  server.kill("SIGTERM");
  if (await settledWithin(exited, STOP_DEADLINE_MS)) return;
  server.kill("SIGKILL");
  await exited;
}
