// Two real boxes, a plain Socket.IO server with the official Redis adapter, and the official emitter, on one Redis.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { BoxesOnRedis, heardUntilEnd } from "../helpers/boxes-on-redis.ts";
import type { TestClient } from "../helpers/fanout-box.ts";
import { describeWith } from "../helpers/requirements.ts";
import { until } from "../helpers/until.ts";

describeWith("redis-server", "Boxes, a plain server and an emitter", () => {
  describe.each(["ipc", "box"] as const)("with bus %s", (bus) => {
    let them: BoxesOnRedis;

    beforeAll(async () => {
      them = await BoxesOnRedis.start(bus);
    });

    afterEach(() => them.closeClients());

    afterAll(() => them.close());

    test("a box holds two connections to Redis, and only its primary does", async () => {
      const names = (await them.redis.clientNames()).filter((name) => name.startsWith("allcores"));

      expect(names.sort()).toEqual([
        "allcores-publisher",
        "allcores-publisher",
        "allcores-subscriber",
        "allcores-subscriber",
      ]);
    });

    test("what is emitted anywhere reaches every client once, text and bytes", async () => {
      const all = await them.connectToAll();
      const event = ["news", { n: 1 }, Buffer.from([0, 255])];

      all[0]?.socket.emit("toAll", ...event);
      all[2]?.socket.emit("toAll", ...event);
      them.plain.io.emit("news", { n: 1 }, Buffer.from([0, 255]));
      them.emitter.emit("news", { n: 1 }, Buffer.from([0, 255]));
      await until("all have heard four", () => all.every(({ events }) => countOf("news", events) >= 4));
      them.emitter.emit("end");

      for (const events of await heardUntilEnd(all)) expect(events).toEqual([event, event, event, event]);
    });

    test("rooms, exceptions, the local flag and namespaces hold across all of them", async () => {
      const [all, chat] = [await them.connectToAll(), await them.connectToAll("/chat")];
      const [one, sibling, far] = all as [TestClient, TestClient, TestClient];
      await Promise.all([one.join("r"), far.join("r")]);

      sibling.socket.emit("toRoom", "r", "from the box");
      them.plain.io.to("r").except(far.id).emit("from the plain server");
      them.emitter.to("r").emit("from the emitter");
      far.socket.emit("toAllButMe", "but me");
      one.socket.emit("locally", "here");
      chat[0]?.socket.emit("say", "hi");
      await until("the others have heard it", () =>
        all.every((client) => client === far || client.names().includes("but me")),
      );
      await until("the chat has heard it", () => chat.every((client) => client.names().includes("said")));
      await until("the room has heard all", () => one.names().length >= 6 && far.names().length >= 3);
      them.plain.io.emit("end");

      const names = (await heardUntilEnd(all)).map((events) => events.map(([name]) => name).sort());
      expect(names.slice(0, 3)).toEqual([
        ["but me", "from the box", "from the emitter", "from the plain server", "here"],
        ["but me"],
        ["from the box", "from the emitter"],
      ]);
      for (const { events } of chat) expect(events).toEqual([["said", "hi"]]);
    });

    test("fetchSockets, emitWithAck and serverSideEmit ask everybody, from a box and from the plain server", async () => {
      const all = await them.connectToAll();
      const ids = all.map(({ id }) => id).sort();
      for (const { socket, id } of all) socket.on("question", (ack) => ack(id));
      const asker = all[1] as TestClient;

      const fetched = await asker.socket.emitWithAck("fetch");
      const fetchedByPlain = (await them.plain.io.fetchSockets()).map(({ id }) => id);
      const acked = await asker.socket.emitWithAck("askAll", "question");
      const ackedByPlain = await them.plain.io.timeout(5000).emitWithAck("question");
      const answers = await asker.socket.emitWithAck("servers");
      const answersForPlain = await them.plain.io.serverSideEmitWithAck("who");

      for (const found of [fetched, fetchedByPlain, acked, ackedByPlain]) expect(found.sort()).toEqual(ids);
      // Its sibling, both workers of the other box, and the plain server; and for that one, once for each box.
      expect(answers).toHaveLength(4);
      expect(answers).toContain("plain");
      expect(answersForPlain).toHaveLength(2);
    });

    test("socketsJoin and disconnectSockets move and disconnect the clients of every server", async () => {
      const all = await them.connectToAll();
      const gone = all.map(({ socket }) => new Promise((resolve) => socket.once("disconnect", resolve)));

      all[0]?.socket.emit("moveAll", "moved");
      all[0]?.socket.emit("toRoom", "moved", "end");
      const events = await heardUntilEnd(all);
      all[0]?.socket.emit("kickAll");
      await Promise.all(gone);

      expect(events).toEqual(all.map(() => []));
    });

    test("a worker that is killed leaves no question open", async () => {
      const all = await them.connectToAll();
      const far = all[2] as TestClient;
      const [{ pid }] = (await far.next("welcome")) as [{ pid: number }];

      process.kill(pid, "SIGKILL");
      const found = await them.plain.io.fetchSockets();

      expect(found.map(({ id }) => id)).toEqual(expect.arrayContaining([all[0]?.id, all[1]?.id, all[4]?.id]));
    });
  });
});

function countOf(name: string, events: readonly unknown[][]): number {
  return events.filter(([event]) => event === name).length;
}
