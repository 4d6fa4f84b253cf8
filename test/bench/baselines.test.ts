import { once } from "node:events";
import { connect as connectTcp, createServer } from "node:net";
import { io, type Socket } from "socket.io-client";
import { afterEach, describe, expect, test } from "vitest";
import { isAlive } from "../../dist/src/bench/kill-worker.js";
import { findTarget, type StartedTarget, TARGETS } from "../../dist/src/bench/targets.js";
import type { PidsByRole } from "../../src/bench/contract.ts";
import { describeWith } from "../helpers/requirements.ts";

const started: StartedTarget[] = [];
const clients: Socket[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  for (const target of started.splice(0)) await target.control.stop();
});

async function start(name: string): Promise<StartedTarget> {
  const target = await findTarget(name).start(2);
  started.push(target);
  return target;
}

/** A stock client of the server, in the room. */
async function joinRoom(url: string, user: string): Promise<Socket> {
  const client = io(url, { transports: ["websocket"], forceNew: true, query: { user }, reconnection: false });
  clients.push(client);
  await once(client, "connect");
  await client.emitWithAck("join", "room");
  return client;
}

async function pidsOf(target: StartedTarget): Promise<PidsByRole> {
  return (await target.pids?.()) ?? {};
}

/** Servers that keep sessions add an offset behind what was emitted. */
async function firstArgument(client: Socket, event: string): Promise<unknown> {
  const [argument] = await once(client, event);
  return argument;
}

const names = TARGETS.map((target) => target.name).filter((name) => !name.startsWith("allcores"));

for (const name of names) {
  describeWith(["redis", "sharded"].includes(name) ? "redis-server" : [], `the baseline ${name}`, () => {
    test("serves stock clients the bench app, and leaves nothing behind when it stops", async () => {
      const target = await start(name);
      const url = target.urls[0] ?? "";
      const alice = await joinRoom(url, "alice");
      const bob = await joinRoom(url, "bob");

      const heard = [alice, bob].map((client) => firstArgument(client, "message"));
      await alice.emitWithAck("publish", "room", "hello");
      expect(await Promise.all(heard)).toEqual(["hello", "hello"]);

      const direct = firstArgument(alice, "message");
      bob.emit("direct", "alice", "psst");
      expect(await direct).toBe("psst");

      bob.on("question", (_payload: string, answer: (text: string) => void) => answer("bob"));
      alice.on("question", (_payload: string, answer: (text: string) => void) => answer("alice"));
      expect(await alice.emitWithAck("ask", "room", "who?")).toBe(2);
      expect(await alice.emitWithAck("echo", "echo")).toBe("echo");

      const pids = Object.values(await pidsOf(target)).flat();
      expect(pids.length).toBeGreaterThan(0);
      await target.control.stop();
      expect(pids.filter(isAlive)).toEqual([]);
      expect(target.control.reload === undefined).toBe(name === "floor");
      await expect(once(connectTcp(Number(new URL(url).port), "127.0.0.1"), "connect")).rejects.toThrow("ECONNREFUSED");
    });
  });
}

describe.each(["single", "official", "official-patched"])("the deploy of %s", (name) => {
  test("is a restart on the same port, whose processes are then the ones that are watched and stopped", async () => {
    const target = await start(name);
    const before = Object.values(await pidsOf(target)).flat();
    const alice = await joinRoom(target.urls[0] ?? "", "alice");
    const ended = once(alice, "disconnect");

    await target.control.reload?.();

    expect((await ended)[0]).toBe("transport close");
    const again = await joinRoom(target.urls[0] ?? "", "alice");
    expect(await again.emitWithAck("echo", "still here")).toBe("still here");
    const after = Object.values(await pidsOf(target)).flat();
    expect(after).toHaveLength(before.length);
    expect(before.filter(isAlive)).toEqual([]);
    await target.control.stop();
    expect(after.filter(isAlive)).toEqual([]);
  });
});

describe("a server under test", () => {
  test("has a process a role, and with the floor an address a worker", async () => {
    const floor = await start("floor");
    const official = await start("official");

    expect(floor.urls).toHaveLength(2);
    expect(await pidsOf(floor)).toEqual({ socketWorker: [expect.any(Number), expect.any(Number)] });
    expect(official.urls).toHaveLength(1);
    expect(await pidsOf(official)).toEqual({
      primary: [expect.any(Number)],
      socketWorker: [expect.any(Number), expect.any(Number)],
    });
  });

  test("names the worker that took the place of a killed one", async () => {
    const official = await start("official");
    const before = await pidsOf(official);

    const killed = await official.control.killWorker?.();

    expect(before.socketWorker).toContain(killed);
    await expect.poll(async () => (await pidsOf(official)).socketWorker).not.toContain(killed);
    expect((await pidsOf(official)).socketWorker).toHaveLength(2);
  });

  test("can be stopped while it restarts, and is then gone for good", async () => {
    const single = await start("single");
    const port = Number(new URL(single.urls[0] ?? "").port);

    const restarted = single.control.reload?.();
    await single.control.stop();

    await restarted;
    expect(
      Object.values(await pidsOf(single))
        .flat()
        .filter(isAlive),
    ).toEqual([]);
    await expect(once(connectTcp(port, "127.0.0.1"), "connect")).rejects.toThrow("ECONNREFUSED");
  });

  test("fails its restart when somebody else took its port meanwhile", async () => {
    const single = await start("single");
    const port = Number(new URL(single.urls[0] ?? "").port);
    await single.control.stop();
    const squatter = createServer().listen(port, "127.0.0.1");
    await once(squatter, "listening");

    await expect(single.control.reload?.()).rejects.toThrow(/did not start: .*EADDRINUSE/);

    squatter.close();
  });

  test("can be stopped after its process died, and takes its workers along", async () => {
    const official = await start("official");
    const pids = await pidsOf(official);

    process.kill(pids.primary?.[0] ?? 0, "SIGKILL");
    await official.control.stop();

    await expect.poll(() => (pids.socketWorker ?? []).filter(isAlive)).toEqual([]);
  });

  test("that nobody knows is refused with the names there are", () => {
    expect(() => findTarget("offical")).toThrow(/single, .*official/);
  });
});
