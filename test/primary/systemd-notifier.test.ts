import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createLogger } from "../../src/lib/logger.ts";
import { type BoxStatus, isWell, type WorkerStatus } from "../../src/primary/status.ts";
import { SystemdNotifier } from "../../src/primary/systemd-notifier.ts";
import { RecordingSystemdNotify } from "../helpers/recording-systemd-notify.ts";

const WORKER = { slot: 0, state: "ready", connections: 3, silentMs: 100 } as WorkerStatus;
const WELL = { state: "running", url: "http://127.0.0.1:3000", workers: [WORKER] } as unknown as BoxStatus;
const WATCHDOG_MS = 1000;

let recorder: RecordingSystemdNotify;
let status: BoxStatus;
let isRouterWell: boolean;
let notifier: SystemdNotifier;

beforeEach(async () => {
  recorder = await RecordingSystemdNotify.create();
  status = WELL;
  isRouterWell = true;
  notifier = new SystemdNotifier({
    systemd: { notifySocket: "/run/notify", watchdogMs: WATCHDOG_MS, listenFd: undefined },
    env: { PATH: recorder.path },
    log: createLogger({ level: "silent" }),
    status: () => status,
    isRouterWell: () => Promise.resolve(isRouterWell),
  });
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});

afterEach(async () => {
  vi.useRealTimers();
  await notifier.close();
  await recorder.remove();
});

describe("SystemdNotifier", () => {
  test("says ready, pings twice per watchdog time, says stopping, in this order", async () => {
    notifier.ready();
    vi.advanceTimersByTime(WATCHDOG_MS);
    await recorder.called("WATCHDOG=1", 2);
    notifier.stopping();
    vi.advanceTimersByTime(WATCHDOG_MS);
    await recorder.called("STOPPING=1");

    const head = `/run/notify --pid=${process.pid}`;
    const summary = "--status=http://127.0.0.1:3000, 1 of 1 workers ready, 3 connections";
    expect(recorder.calls()).toEqual([
      `${head} --ready ${summary}`,
      `${head} WATCHDOG=1 ${summary}`,
      `${head} WATCHDOG=1 ${summary}`,
      `${head} STOPPING=1 --status=draining`,
    ]);
  });

  test.each<[string, (isWell: boolean) => void]>([
    [
      "the box is not well",
      (isWell) => {
        status = isWell ? WELL : { ...WELL, workers: [{ ...WORKER, state: "gone" }] };
      },
    ],
    [
      "the router takes no connections",
      (isWell) => {
        isRouterWell = isWell;
      },
    ],
  ])("gives no ping while %s, and pings again when it is over", async (_, set) => {
    notifier.ready();
    set(false);
    vi.advanceTimersByTime(10 * WATCHDOG_MS);
    await setImmediate();
    set(true);
    vi.advanceTimersByTime(WATCHDOG_MS / 2);
    await recorder.called("WATCHDOG=1");
    notifier.stopping();
    await recorder.called("STOPPING=1");

    const pings = recorder.calls().filter((call) => call.includes("WATCHDOG=1"));
    expect(pings).toHaveLength(1);
  });
});

describe("a box is well", () => {
  test.each<[boolean, string, Partial<BoxStatus>]>([
    [true, "with one worker that is ready and reports", { workers: [{ ...WORKER, state: "gone" }, WORKER] }],
    [false, "without a worker", { workers: [] }],
    [false, "when all workers are gone", { workers: [{ ...WORKER, state: "gone" }] }],
    [false, "when the ready ones hang", { workers: [{ ...WORKER, silentMs: 60_000 }] }],
    [false, "before it runs", { state: "starting" }],
  ])("%s: %s", (expected, _when, change) => {
    expect(isWell({ ...WELL, ...change })).toBe(expected);
  });
});
