// Promises 1 and 2 of the hub, held against it: nothing lost, nothing twice, one order for all, whatever dies.

import { afterEach, describe, expect, test } from "vitest";
import { startBox, type TestBox } from "../helpers/box.ts";
import { judge, type Member } from "../helpers/history.ts";
import { LightMember } from "../helpers/light-member.ts";
import { StockMember } from "../helpers/stock-member.ts";

const ROOM_SIZE = 10;
/** One member in so many is the stock client; the others speak the same protocol and cost less. */
const STOCK_EVERY = 10;
/** So many clients are cut in every round: each of them once in so many rounds. */
const CUT_EVERY = 8;
const ROUNDS = 28;

let box: TestBox;
let members: Member[] = [];

afterEach(async () => {
  for (const member of members) member.leave();
  members = [];
  await box.stop();
});

async function populate(clients: number): Promise<void> {
  // Workers that are killed on purpose are not held back, and have a moment to prove themselves in a reload.
  const flags = ["--supervisor-stable-after-ms", "1", "--reload-probation-ms", "500"];
  box = await startBox({ app: "history-app.mjs", workers: 4, flags });
  const { url } = box;
  members = Array.from({ length: clients }, (_, i) => {
    const Kind = i % STOCK_EVERY === 0 ? StockMember : LightMember;
    return new Kind(url, `c${i}`, `room ${Math.floor(i / ROOM_SIZE)}`);
  });
  await until(() => members.every(({ isIn, pid }) => isIn && pid > 0));
}

/** Rounds in which every client says something, and `disturb` does what it does. */
async function talk(from: number, to: number, disturb: (round: number) => void): Promise<void> {
  for (let round = from; round < to; round++) {
    for (const member of members) member.say(round);
    disturb(round);
    const half = members.length / 2;
    await until(() => members.filter(({ isConnected }) => isConnected).length > half);
    await until(() => members.filter((member) => member.hasAck(round)).length > half);
  }
}

/**
 * A last round, of which everybody has the ack and everybody has heard everything: then nothing that was said before is
 * on its way any more. It is said again while connections still break.
 */
async function settle(from: number): Promise<void> {
  for (let round = from; ; round++) {
    await until(() => members.every(({ isConnected }) => isConnected));
    const connections = members.map((member) => member.connections);
    for (const member of members) member.say(round);
    const areAllAcked = (): boolean => members.every((member) => member.hasAck(round));
    await until(() => areAllAcked() || members.some((member, i) => member.connections !== connections[i]));
    if (!areAllAcked()) continue;
    await until(() =>
      members.every(({ heard }) => heard.filter((entry) => entry?.endsWith(`:${round}`)).length === ROOM_SIZE),
    );
    return;
  }
}

/** Looks again until it is so; the test's own time limit ends it. */
function until(isSo: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!isSo()) return;
      clearInterval(timer);
      resolve();
    };
    const timer = setInterval(look, 20);
    look();
  });
}

/** What the box says of clients that came back, by outcome. */
async function recoveries(): Promise<Record<string, number>> {
  const text = await (await fetch(`${box.adminUrl}/metrics`)).text();
  const found: Record<string, number> = {};
  for (const [, outcome = "", count] of text.matchAll(/^allcores_recoveries_total{.*outcome="(\w+)".*} (\d+)$/gm)) {
    found[outcome] = (found[outcome] ?? 0) + Number(count);
  }
  return found;
}

/** The process may have died already. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function pidOfAnybody(): number {
  return members[Math.floor(Math.random() * members.length)]?.pid ?? 0;
}

describe("a box of 4 workers with its own hub", { timeout: 300_000 }, () => {
  test("all members of a room hear the same, in one order, with no fault at all", async () => {
    await populate(100);

    await talk(0, 19, () => {});
    await settle(19);

    const verdict = judge(members);
    expect(verdict).toEqual({ deliveries: 20_000, acked: 2000, recovered: 0, unrecovered: 0, faults: [] });
  });

  test("nor does anything change for 1,000 clients that come and go while workers are killed, stopped and reloaded", async () => {
    await populate(1000);
    const counts = { kills: 0, stops: 0, reloads: 0, cuts: 0 };
    let stopped = 0;

    await talk(0, ROUNDS, (round) => {
      for (const [i, member] of members.entries()) {
        if ((i * 7 + round) % CUT_EVERY !== 0) continue;
        member.cut();
        counts.cuts++;
      }
      if (round % 5 === 1) {
        signal(pidOfAnybody(), "SIGKILL");
        counts.kills++;
      }
      if (round % 5 === 3) {
        stopped = pidOfAnybody();
        signal(stopped, "SIGSTOP");
        counts.stops++;
      }
      if (round % 5 === 0 && stopped > 0) signal(stopped, "SIGCONT");
      if (round % 10 === 7) {
        box.child.kill("SIGHUP");
        counts.reloads++;
      }
    });
    signal(stopped, "SIGCONT");
    await settle(ROUNDS);

    const { faults, ...numbers } = judge(members);
    console.info("history:", { ...numbers, ...counts, atTheHub: await recoveries() });
    expect(faults).toEqual([]);
    expect(numbers.deliveries).toBeGreaterThanOrEqual(200_000);
    expect(numbers.recovered).toBeGreaterThan(1000);
    expect(numbers.unrecovered).toBe(0);
  });
});
