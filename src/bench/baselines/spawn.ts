// Starts a baseline in a process of its own, restarts it, and stops it, whatever state it is in, without leaving anything behind.

import type { PidsByRole } from "../contract.ts";
import { type BaselineProcess, startProcess } from "./baseline-process.ts";

export interface SpawnedBaseline {
  readonly urls: readonly string[];
  readonly pids: () => PidsByRole;
  readonly complaints: () => string;
  /** Stops it, starts it again on the same port, and resolves once it serves. Rejects when it does not start. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export async function spawnBaseline(name: string, workers: number): Promise<SpawnedBaseline> {
  let current: BaselineProcess = await startProcess(name, workers, 0);
  const { urls } = current;
  const replace = async (): Promise<void> => {
    await current.stop();
    current = await startProcess(name, workers, portOf(urls));
  };
  let restarted: Promise<void> = Promise.resolve();
  return {
    urls,
    pids: () => current.pids(),
    complaints: () => current.complaints(),
    restart: () => {
      restarted = replace();
      return restarted;
    },
    stop: async () => {
      // What is coming up cannot be stopped yet; that it may have failed is told to whoever asked for it.
      await restarted.catch(() => {});
      await current.stop();
    },
  };
}

function portOf([url = ""]: readonly string[]): number {
  return Number(new URL(url).port);
}
