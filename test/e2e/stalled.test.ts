// A worker that does not read what is sent to it: the others go on, everybody sees it, and it is replaced in the end.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startBox, type TestBox } from "../helpers/box.ts";
import { runCli } from "../helpers/cli.ts";
import { judge, type Member } from "../helpers/history.ts";
import { logged } from "../helpers/logged.ts";
import { isAlive } from "../helpers/process-state.ts";
import { StockMember } from "../helpers/stock-member.ts";
import { until } from "../helpers/until.ts";

const CLIENTS = 12;
/** More than the system's buffers hold in a few messages. */
const LARGE = "x".repeat(20_000);
const HUGE = "x".repeat(400_000);
const NEVER = "3600000";
const WAIT_MS = 60_000;

let runtimeDir: string;
let box: TestBox;
let members: Member[];
let said: number;

beforeEach(async () => {
  runtimeDir = await mkdtemp(join(tmpdir(), "allcores-stalled-"));
  members = [];
  said = 0;
});

afterEach(async () => {
  for (const member of members) member.leave();
  await box.stop();
  await rm(runtimeDir, { recursive: true, force: true });
});

/** All clients in one room; returns the pid of a worker that stands still, and those who are on others. */
async function stopOne(...flags: readonly string[]): Promise<{ victim: number; others: Member[] }> {
  const env = { RUNTIME_DIRECTORY: runtimeDir };
  box = await startBox({
    app: "history-app.mjs",
    workers: 3,
    flags: ["--supervisor-hang-timeout-ms", NEVER, ...flags],
    env,
  });
  members = Array.from({ length: CLIENTS }, (_, i) => new StockMember(box.url, `c${i}`, "room"));
  await until("all are in", () => members.every(({ isIn, pid }) => isIn && pid > 0), WAIT_MS);
  const victim = members[0]?.pid ?? 0;
  process.kill(victim, "SIGSTOP");
  return { victim, others: members.filter(({ pid }) => pid !== victim) };
}

/** One of the others says something large, and all of them hear it. */
async function talkAmong(others: readonly Member[], padding = LARGE): Promise<void> {
  const speaker = others[said % others.length] as Member;
  const number = said++;
  speaker.say(number, padding);
  const entry = `${speaker.name}:${number}`;
  await until("all others have heard", () => others.every(({ heard }) => heard.at(-1) === entry), WAIT_MS);
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${box.adminUrl}/metrics`)).text();
  const values = text.split("\n").filter((line) => line.startsWith(name));
  return Math.max(...values.map((line) => Number(line.slice(line.lastIndexOf(" ")))));
}

/** Everybody is back and has heard everything, once, in the same order. */
async function expectWholeHistory(): Promise<void> {
  await until(
    "all have heard all",
    () => members.every(({ isConnected, heard }) => isConnected && heard.length === said),
    WAIT_MS,
  );
  const { faults, acked, unrecovered } = judge(members);
  expect(faults).toEqual([]);
  expect([acked, unrecovered]).toEqual([said, 0]);
}

describe("a worker that does not read", () => {
  test("is shown as stalled, does not hold up the others, and when it reads again nothing comes twice", async () => {
    const { victim, others } = await stopOne();

    while (!box.stderr().includes("worker is stalled")) await talkAmong(others);
    const port = new URL(box.adminUrl).port;
    const status = await runCli(["status", "--admin-port", port], { RUNTIME_DIRECTORY: runtimeDir });
    const late = Array.from({ length: 6 }, (_, i) => new StockMember(box.url, `late${i}`, "other room"));
    await until("new clients are in", () => late.every(({ isIn, pid }) => isIn && pid > 0), WAIT_MS);
    const stalledSeconds = await metric("allcores_worker_stalled_seconds");
    process.kill(victim, "SIGCONT");
    await logged(box, "worker reads its bus again");
    await talkAmong(others);
    for (const member of late) member.leave();

    expect(late.map(({ pid }) => pid)).not.toContain(victim);
    expect(status.out).toMatch(/stalled \d+ s/);
    expect(stalledSeconds).toBeGreaterThan(0);
    await expectWholeHistory();
    expect(members[0]?.pid).toBe(victim);
  });

  test("is replaced when it has taken nothing for too long, and its clients miss nothing", async () => {
    const { victim, others } = await stopOne("--supervisor-stall-timeout-ms", "3000");

    while (isAlive(victim)) await talkAmong(others);

    await expectWholeHistory();
    expect(await metric('allcores_worker_restarts_total{slot="')).toBe(1);
    expect(box.stderr()).toMatch(/"reason":"stalled".*it did not read its bus/);
  });

  test("is replaced at once when too much waits for it", async () => {
    const limits = ["--supervisor-stall-timeout-ms", NEVER, "--supervisor-stall-max-bytes", "16777216"];
    const { victim, others } = await stopOne(...limits);

    while (isAlive(victim)) await talkAmong(others, HUGE);

    await expectWholeHistory();
    expect(box.stderr()).toMatch(/"reason":"stalled".*does not read/);
  });
});
