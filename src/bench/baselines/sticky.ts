// Workers behind @socket.io/sticky, as its documentation has it: the primary half, shared by all baselines that use it.

import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { setupMaster, setupWorker } from "@socket.io/sticky";
import type { Server } from "socket.io";
import { settledWithin } from "../../lib/deadline.ts";
import type { PidsByRole } from "../contract.ts";
import { listen } from "./app-server.ts";
import type { OnPids, RunningBaseline, StartRequest } from "./baseline.ts";

/** Environment variable with the number of a worker. */
const SLOT_VARIABLE = "ALLCORES_BENCH_SLOT";
const STOP_DEADLINE_MS = 2_000;

export const STICKY_SETTINGS = [
  'sticky: loadBalancingMethod: "least-connection"',
  'cluster: serialization: "advanced"',
];
export const HANDLE_FIX = "handle bug worked around: the primary stops reading a connection before it hands it over";

export interface StickyOptions extends StartRequest {
  readonly worksAroundHandleBug: boolean;
  /** Sets up the primary half of an adapter that has one. */
  readonly setUpAdapter?: () => void;
}

export async function startSticky(options: StickyOptions): Promise<RunningBaseline> {
  const httpServer = createServer();
  setupMaster(httpServer, { loadBalancingMethod: "least-connection" });
  options.setUpAdapter?.();
  cluster.setupPrimary({ serialization: "advanced" });
  if (options.worksAroundHandleBug) cluster.on("fork", stopReadingBeforeHandover);

  await Promise.all(Array.from({ length: options.workers }, (_unused, slot) => untilServing(forkWorker(slot))));
  const url = await listen(httpServer, options.port);
  replaceDeadWorkers(options.onPids);
  return {
    urls: [url],
    pids: currentPids(),
    close: async () => {
      httpServer.close();
      await stopWorkers();
    },
  };
}

/** The worker half: tells the primary when this worker serves. */
export function serveSticky(io: Server): void {
  setupWorker(io);
  process.send?.({ type: "bench:serving" });
}

export function ownSlot(): number {
  return Number(process.env[SLOT_VARIABLE]);
}

const slots = new Map<number, number>();

function forkWorker(slot: number): Worker {
  const worker = cluster.fork({ [SLOT_VARIABLE]: String(slot) });
  slots.set(worker.id, slot);
  return worker;
}

function untilServing(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.on("message", (message: { type?: string }) => {
      if (message.type === "bench:serving") resolve();
    });
    worker.once("exit", (code) => reject(new Error(`A worker ended with exit code ${code} before it served.`)));
  });
}

/** As in the documentation: a worker that dies is forked again at once. */
function replaceDeadWorkers(onPids: OnPids): void {
  cluster.on("exit", (worker) => {
    if (worker.exitedAfterDisconnect) return;
    forkWorker(slots.get(worker.id) ?? 0);
    onPids(currentPids());
  });
}

/**
 * Without this the primary goes on reading a socket whose handle it has sent away, and what the client sends in that
 * moment is lost: about one connection in a hundred hangs for ever, which makes any run void.
 */
function stopReadingBeforeHandover(worker: Worker): void {
  const send = worker.send.bind(worker) as (...args: unknown[]) => boolean;
  worker.send = (message: unknown, handle?: unknown, ...rest: unknown[]): boolean => {
    (handle as HandleOwner | undefined)?._handle?.readStop();
    return send(message, handle, ...rest);
  };
}

type HandleOwner = Socket & { readonly _handle?: { readonly readStop: () => void } };

async function stopWorkers(): Promise<void> {
  const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
  await Promise.all(workers.map(stopWorker));
}

async function stopWorker(worker: Worker): Promise<void> {
  const exited = once(worker, "exit");
  worker.exitedAfterDisconnect = true;
  worker.process.kill("SIGTERM");
  if (await settledWithin(exited, STOP_DEADLINE_MS)) return;
  worker.process.kill("SIGKILL");
  await exited;
}

function currentPids(): PidsByRole {
  // One that has just died is still listed until its channel is closed too.
  const alive = Object.values(cluster.workers ?? {}).filter((worker) => worker?.isDead() === false);
  return { primary: [process.pid], socketWorker: alive.flatMap((worker) => worker?.process.pid ?? []) };
}
