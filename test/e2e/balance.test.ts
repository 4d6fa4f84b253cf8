// How new clients spread over the workers of a real box: evenly in a burst, and not to where they would be served worse.

import { afterEach, describe, expect, test } from "vitest";
import { joinFrom, type WsClient } from "../helpers/addressed.ts";
import { startBox, type TestBox } from "../helpers/box.ts";
import { until } from "../helpers/until.ts";

let box: TestBox;
let clients: WsClient[] = [];

afterEach(async () => {
  for (const { ws } of clients) ws.terminate();
  clients = [];
  await box.stop();
});

/** So many clients at once; those there are now, by slot. */
async function join(count: number): Promise<number[]> {
  const joined = await Promise.all(Array.from({ length: count }, () => joinFrom(box.url, "127.0.0.1")));
  clients.push(...joined.filter((client) => typeof client === "object"));
  return bySlot(clients);
}

/** The primary has heard of so many clients. */
async function untilCounted(count: number): Promise<void> {
  await until(`there are ${count}`, async () => {
    const { workers } = await box.status();
    return workers.reduce((sum, { connections }) => sum + connections, 0) === count;
  });
}

function bySlot(all: readonly WsClient[]): number[] {
  const counts: number[] = [];
  for (const { welcome } of all) counts[welcome.slot] = (counts[welcome.slot] ?? 0) + 1;
  return Array.from(counts, (count) => count ?? 0);
}

describe("new clients", () => {
  test("that come as a burst of 1,000 spread evenly over 8 workers", async () => {
    box = await startBox({ app: "echo-app.mjs", workers: 8 });

    const counts = await join(1000);

    expect(clients).toHaveLength(1000);
    expect(counts).toHaveLength(8);
    expect(Math.max(...counts) / (1000 / 8)).toBeLessThanOrEqual(1.1);
  });

  test("go where nobody is, right after the start too, however many come and go there", async () => {
    box = await startBox({ app: "echo-app.mjs", workers: 2 });
    await join(1);
    const elsewhere = 1 - (clients[0]?.welcome.slot ?? 0);

    const slots: number[] = [];
    for (let i = 0; i < 6; i++) {
      await join(1);
      await untilCounted(2);
      const last = clients.pop();
      slots.push(last?.welcome.slot ?? -1);
      last?.ws.close();
      await untilCounted(1);
    }

    expect(slots).toEqual(new Array(6).fill(elsewhere));
  });

  test("go to a slow worker less than to the other", async () => {
    box = await startBox({ app: "slow-when-told.mjs", workers: 2 });
    const before = await join(20);
    const victim = clients.find(({ welcome }) => welcome.slot === 0);

    victim?.ws.send('42["beSlow"]');
    let [, other = 0] = before;
    await until("nearly all go to the other", async () => {
      const otherBefore = other;
      [, other = 0] = await join(20);
      return other - otherBefore >= 17;
    });

    expect(before).toEqual([10, 10]);
  });

  test("do not all go to a worker that is fresh and has none", async () => {
    box = await startBox({ app: "echo-app.mjs", workers: 4 });
    await join(200);
    const { pid = 0 } = clients.find(({ welcome }) => welcome.slot === 0)?.welcome ?? {};
    process.kill(pid, "SIGKILL");
    await until("the slot is filled", async () => {
      const [worker] = (await box.status()).workers;
      return worker?.state === "ready" && worker.pid !== pid;
    });
    clients = clients.filter(({ welcome }) => welcome.slot !== 0);

    const [fresh = 0] = await join(40);

    expect(fresh).toBeGreaterThan(4);
    expect(fresh).toBeLessThanOrEqual(30);
  });
});
