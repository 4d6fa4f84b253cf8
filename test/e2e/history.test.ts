// Promises 1 and 2 of the hub, held against it: nothing lost, nothing twice, one order for all, whatever dies.

import { afterEach, describe, expect, test } from "vitest";
import { startBox, type TestBox } from "../helpers/box.ts";
import { cut, judge, type Member, newMember, say } from "../helpers/history.ts";

const ROOM_SIZE = 10;

let box: TestBox | undefined;
let members: Member[] = [];

afterEach(async () => {
  for (const { socket } of members) socket.disconnect();
  members = [];
  await box?.stop();
});

async function populate(clients: number): Promise<void> {
  box = await startBox({ app: "history-app.mjs", workers: 4, flags: ["--bus", "box"] });
  const { url } = box;
  members = Array.from({ length: clients }, (_, i) => newMember(url, `c${i}`, `room ${Math.floor(i / ROOM_SIZE)}`));
  await until(() => members.every(({ isIn }) => isIn));
}

/** Rounds in which every client says something, and `disturb` does what it does. */
async function talk(rounds: number, disturb: (round: number) => void): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const member of members) say(member, round);
    disturb(round);
    await until(() => members.filter(({ socket }) => socket.connected).length > members.length / 2);
    await until(() => ackedIn(round) > members.length / 2);
  }
}

function ackedIn(round: number): number {
  return members.filter(({ name, acked }) => acked.includes(`${name}:${round}`)).length;
}

/** Everybody is back and has heard as much as the one that has heard most. */
async function settle(): Promise<void> {
  await until(() => {
    const lengths = new Map<string, number>();
    for (const { room, heard } of members) lengths.set(room, Math.max(lengths.get(room) ?? 0, heard.length));
    return members.every(
      ({ socket, room, heard }) => socket.connected && (heard.includes(null) || heard.length === lengths.get(room)),
    );
  });
}

/** Looks again until it is so; the test's own time limit ends it. */
function until(isSo: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!isSo()) return;
      clearInterval(timer);
      resolve();
    };
    const timer = setInterval(look, 10);
    look();
  });
}

describe("a box of 4 workers with its own hub", { timeout: 120_000 }, () => {
  test("all members of a room hear the same, in one order, with no fault at all", async () => {
    await populate(100);

    await talk(20, () => {});
    await settle();

    const verdict = judge(members);
    expect(verdict).toEqual({ deliveries: 20_000, acked: 2000, recovered: 0, unrecovered: 0, faults: [] });
  });

  test("clients whose connections are cut come back elsewhere and miss nothing", async () => {
    await populate(100);

    await talk(20, (round) => {
      for (const [i, member] of members.entries()) if ((i + round * 7) % 20 === 0) cut(member);
    });
    await settle();

    const { faults, recovered, unrecovered } = judge(members);
    expect(faults).toEqual([]);
    expect(recovered).toBeGreaterThan(0);
    expect(unrecovered).toBe(0);
  });

  test("workers killed with SIGKILL take no message with them", async () => {
    await populate(100);

    await talk(20, (round) => {
      for (const [i, member] of members.entries()) if ((i + round * 7) % 50 === 0) cut(member);
      const victim = members[round % members.length];
      if (round % 8 === 5 && victim?.socket.connected) kill(victim.pid);
    });
    await settle();

    const { faults, recovered, unrecovered } = judge(members);
    expect(faults).toEqual([]);
    expect(recovered).toBeGreaterThan(5);
    expect(unrecovered).toBe(0);
  });
});

/** The worker may have died already. */
function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
