// A box as its status tells it, for tests of what reads one.

import type { BoxStatus, WorkerStatus } from "../../src/primary/status.ts";

export function workerStatus(slot: number, overrides: Partial<WorkerStatus> = {}): WorkerStatus {
  return {
    slot,
    incarnation: 1,
    pid: 4000 + slot,
    state: "ready",
    connections: 10,
    restarts: 0,
    loopLagMs: 1,
    memoryBytes: 80_000_000,
    silentMs: 0,
    stalledMs: 0,
    ...overrides,
  };
}

export function boxStatus(overrides: Partial<BoxStatus> = {}): BoxStatus {
  return {
    pid: 3999,
    version: "1.2.3",
    state: "running",
    url: "http://127.0.0.1:3000",
    adminUrl: "http://127.0.0.1:9400",
    startedAt: "2030-01-01T00:00:00.000Z",
    bus: "ipc",
    workers: [workerStatus(0), workerStatus(1)],
    cpu: { pid: 4100, state: "ready", queued: 0, running: 1, threads: 2 },
    redis: null,
    presence: { members: 7, rooms: 3 },
    traffic: { messagesIn: 1, messagesOut: 2, bytesIn: 3, bytesOut: 4, connects: 5, disconnects: 6, errors: 7 },
    ...overrides,
  };
}
