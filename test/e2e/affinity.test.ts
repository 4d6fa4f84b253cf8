// Clients that belong together are on one worker of a real box, and no worker gets too many for it.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket } from "socket.io-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startBox, type TestBox } from "../helpers/box.ts";
import { connectClient, rawRequest, TRANSPORTS } from "../helpers/clients.ts";
import { logged } from "../helpers/logged.ts";
import { until } from "../helpers/until.ts";

interface Welcome {
  readonly slot: number;
}

interface Member extends Welcome {
  readonly room: string;
}

/** Starting a box of 4 workers, where many tests share few cores. */
const START_TIMEOUT_MS = 90_000;

const WORKERS = 4;
const MEAN = 200 / WORKERS;

const ROOMS = Array.from({ length: 20 }, (_, i) => `room ${i}`);

describe.each([
  ["the app's function", "affinity-app.mjs", [], "WebSocket only"],
  ["--affinity-query", "echo-app.mjs", ["--affinity-query", "room"], "polling, then upgrade"],
] as const)("affinity by %s on a box of 4 workers", (_what, app, flags, transports) => {
  let box: TestBox;
  let open: Socket[] = [];

  beforeAll(async () => {
    box = await startBox({ app, workers: WORKERS, flags });
  }, START_TIMEOUT_MS);
  afterEach(async () => {
    for (const socket of open) socket.disconnect();
    open = [];
    await until("all clients are gone", async () =>
      (await box.status()).workers.every(({ connections }) => connections === 0),
    );
  });
  afterAll(() => box.stop());

  /** Connects 200 clients, a burst of 50 at a time, the rooms taking turns. */
  async function connectAll(rooms: readonly string[]): Promise<Member[]> {
    const members: Member[] = [];
    for (let burst = 0; burst < 4; burst++) {
      const clients = Array.from({ length: 50 }, (_, i) => connectTo(rooms[(burst * 50 + i) % rooms.length] ?? ""));
      members.push(...(await Promise.all(clients)));
    }
    return members;
  }

  async function connectTo(room: string): Promise<Member> {
    const options = { query: { room }, transports: [...TRANSPORTS[transports]] };
    const { socket, welcome } = await connectClient<Welcome>(box.url, options);
    open.push(socket);
    return { room, slot: welcome.slot };
  }

  test(`keeps each of 20 rooms on one worker (${transports})`, async () => {
    const members = await connectAll(ROOMS);

    expect(slotsByRoom(members).map(({ size }) => size)).toEqual(Array.from({ length: 20 }, () => 1));
    expect(largest(members) / MEAN).toBeLessThanOrEqual(1.25);
  });

  test("does not overload the worker of a room that everybody is in", async () => {
    const members = await connectAll(["town hall"]);

    expect(largest(members) / MEAN).toBeLessThanOrEqual(1.26);
    expect(largest(members) / MEAN).toBeGreaterThan(1.1);
  });
});

test(
  "a reload brings the affinity function of the new code",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "allcores-affinity-"));
    const app = join(folder, "app.mjs");
    const deploy = (name: string): Promise<void> =>
      writeFile(
        app,
        `export default {
          affinity: ({ query }) => query.get("${name}"),
          setup: (io, box) => io.on("connection", (socket) => socket.emit("welcome", { slot: box.slot })),
        };`,
      );
    await deploy("old");
    const box = await startBox({ app, workers: WORKERS, flags: ["--reload-probation-ms", "100"] });
    await deploy("new");

    box.child.kill("SIGHUP");
    await logged(box, "the box is reloaded");
    const clients = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        connectClient<Welcome>(box.url, { query: { old: `room ${i}`, new: "room" } }),
      ),
    );

    expect(new Set(clients.map(({ welcome }) => welcome.slot)).size).toBe(1);
    for (const { socket } of clients) socket.disconnect();
    await box.stop();
    await rm(folder, { recursive: true });
  },
  START_TIMEOUT_MS,
);

describe("an affinity function that throws", () => {
  test(
    "costs no client its connection, and is logged once",
    async () => {
      const box = await startBox({ app: "affinity-app.mjs", workers: 1 });

      const answers = await Promise.all(
        Array.from({ length: 8 }, () =>
          rawRequest(box.url, ["GET /?broken=throws HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n"]),
        ),
      );

      expect(answers).toEqual(answers.map(() => expect.stringMatching(/^HTTP\/1\.1 200 [\s\S]*served/)));
      expect(box.stderr().match(/affinity failed/g)).toHaveLength(1);
      await box.stop();
    },
    START_TIMEOUT_MS,
  );
});

test(
  "clients that come before the primary knows the affinity function wait for it, and no longer",
  async () => {
    const box = await startBox({ app: "slow-affinity.mjs", workers: 1 });

    const answer = await rawRequest(box.url, ["GET /?room=a HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n"]);

    expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*served/);
    await box.stop();
  },
  START_TIMEOUT_MS,
);

function slotsByRoom(members: readonly Member[]): Set<number>[] {
  const slots = new Map<string, Set<number>>();
  for (const { room, slot } of members) slots.set(room, (slots.get(room) ?? new Set()).add(slot));
  return [...slots.values()];
}

function largest(members: readonly Member[]): number {
  const counts = Array.from({ length: WORKERS }, (_, slot) => members.filter((member) => member.slot === slot).length);
  return Math.max(...counts);
}
