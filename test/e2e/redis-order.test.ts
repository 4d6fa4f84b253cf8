// What comes from other boxes has its place in the order of the box where it arrives, and is kept there for those who return.

import type { Socket } from "socket.io-client";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startBox, type TestBox } from "../helpers/box.ts";
import { connectClient } from "../helpers/clients.ts";
import { type RedisServer, startRedis } from "../helpers/redis-server.ts";
import { describeWith } from "../helpers/requirements.ts";
import { until } from "../helpers/until.ts";

const ROOM = "red";

describeWith("redis-server", "a box that hears other boxes", () => {
  let redis: RedisServer;
  let here: TestBox;
  let there: TestBox;
  let sockets: Socket[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    const options = {
      app: "keeps-sessions.mjs",
      env: { REDIS_URL: redis.url },
      flags: ["--limits-events-per-second", "0"],
    };
    [here, there] = await Promise.all([startBox(options), startBox(options)]);
    await redis.untilSubscribed("socket.io-request#/#", 2);
  });

  afterEach(() => {
    for (const socket of sockets) socket.disconnect();
    sockets = [];
  });

  afterAll(async () => {
    await Promise.all([here.stop(), there.stop()]);
    await redis.kill();
  });

  async function join({ url }: TestBox, room: string | number = ROOM): Promise<{ socket: Socket; heard: string[] }> {
    const { socket } = await connectClient<unknown>(url);
    sockets.push(socket);
    const heard: string[] = [];
    socket.on("said", (text: string) => heard.push(text));
    await socket.timeout(60_000).emitWithAck("join", room);
    return { socket, heard };
  }

  // Apps without types name rooms by number.
  test.each([ROOM, 5])("gives a client that returns what the others said in %j meanwhile, in order", async (room) => {
    const [ann, stays, bob] = [await join(here, room), await join(here, room), await join(there, room)];
    await bob.socket.emitWithAck("say", room, "before");
    await until("ann has heard it", () => ann.heard.length === 1);

    ann.socket.io.engine.close();
    for (let i = 0; i < 20; i++) await bob.socket.emitWithAck("say", room, `meanwhile ${i}`);
    await until("the box has heard it", () => stays.heard.length === 21);
    const returned = new Promise((resolve) => ann.socket.once("welcome", resolve));
    ann.socket.connect();

    expect(await returned).toMatchObject({ recovered: true, rooms: [String(room)] });
    await until("ann has heard it", () => ann.heard.length >= 21);
    expect(ann.heard).toEqual(stays.heard);
  });

  test("has one order for what they say and what its own clients say", async () => {
    const mine = [await join(here), await join(here), await join(here), await join(here)];
    const theirs = [await join(there), await join(there)];

    for (let i = 0; i < 200; i++) {
      for (const [n, { socket }] of [...mine, ...theirs].entries()) socket.emit("say", ROOM, `${n}:${i}`, () => {});
      if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until("all have heard all", () => [...mine, ...theirs].every(({ heard }) => heard.length >= 1200));

    for (const members of [mine, theirs]) {
      for (const { heard } of members) expect(heard).toEqual(members[0]?.heard);
    }
    expect(new Set(mine[0]?.heard).size).toBe(1200);
  });
});
