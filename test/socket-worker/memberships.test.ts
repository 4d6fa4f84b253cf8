// Who is in which room: the worker that has the socket and the hub must agree, whoever changes it and whatever crosses.

import fc from "fast-check";
import type { BroadcastOptions } from "socket.io-adapter";
import { describe, expect, test } from "vitest";
import { ModelBox } from "../helpers/model-box.ts";

const WORKERS = 3;
const CLIENTS = ["a", "b", "c", "d"];

const worker = fc.nat(WORKERS - 1);
const client = fc.constantFrom(...CLIENTS);
const room = fc.constantFrom("red", "blue", "green");

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom("join", "leave"), client, room }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom("socketsJoin", "socketsLeave"),
      worker,
      to: fc.uniqueArray(room, { maxLength: 1 }),
      except: fc.uniqueArray(room, { maxLength: 1 }),
      room,
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("comeBack" as const), client, worker }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constantFrom("up", "down"), worker }) },
);

interface Step {
  readonly type: string;
  readonly worker: number;
  readonly client: string;
  readonly room: string;
  readonly to: readonly string[];
  readonly except: readonly string[];
}

function take(box: ModelBox, { type, worker: index, client: id, room: name, to, except }: Step): void {
  const chosen = box.workers[index];
  const home = box.workers.find((candidate) => candidate.has(id));
  const options = { rooms: new Set(to), except: new Set(except) } as BroadcastOptions;
  if (type === "join") home?.adapter.addAll(id, new Set([name]));
  if (type === "leave") home?.adapter.del(id, name);
  if (type === "socketsJoin") void chosen?.adapter.addSockets(options, [name]);
  if (type === "socketsLeave") void chosen?.adapter.delSockets(options, [name]);
  if (type === "comeBack") void chosen?.comeBack(id);
  if (type === "up") chosen?.carryUp();
  if (type === "down") chosen?.carryDown();
}

async function populated(): Promise<ModelBox> {
  const box = new ModelBox(WORKERS);
  for (const [i, id] of CLIENTS.entries()) box.workers[i % WORKERS]?.connect(id);
  await box.settle();
  return box;
}

describe("memberships", () => {
  test("are the same for a socket's worker and for the hub, for any crossing of changes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.array(fc.boolean(), { maxLength: 40 }),
        async (steps, turns) => {
          const box = await populated();

          for (const [i, one] of steps.entries()) {
            take(box, one as Step);
            // Promises are kept between two things that arrive, or after both.
            if (turns[i] === true) await Promise.resolve();
          }
          await box.settle();

          const homes = CLIENTS.map((id) => box.workers.filter((candidate) => candidate.has(id)));
          const atWorkers = CLIENTS.map((id, i) => [id, homes[i]?.map((home) => home.roomsOf(id))]);
          const atHub = [];
          for (const id of CLIENTS) atHub.push([id, [await box.roomsOf(id)]]);
          expect(atWorkers).toEqual(atHub);
        },
      ),
      { numRuns: 5000 },
    );
  });

  // Socket.IO puts a socket that comes back into its rooms once more, and the hub took that for the app's last word.
  test("a client that comes back stays out of a room that it was moved out of on its way", async () => {
    const box = await populated();
    const [home, other] = box.workers;
    home?.adapter.addAll("a", new Set(["red"]));
    await box.settle();
    void other?.comeBack("a");
    while (other?.carryUp());
    while (home?.carryDown());
    while (home?.carryUp());
    other?.adapter.addAll("b", new Set(["blue"]));
    void home?.adapter.delSockets({ rooms: new Set(), except: new Set() } as BroadcastOptions, ["red"]);
    while (home?.carryUp());
    // Its session has come, the move has not, and something of the worker's is still on its way.
    other?.carryDown();
    await new Promise((resolve) => setImmediate(resolve));
    const isBack = other?.has("a");

    await box.settle();

    expect(isBack).toBe(true);
    expect(other?.has("a")).toBe(true);
    expect([other?.roomsOf("a"), await box.roomsOf("a")]).toEqual([["a"], ["a"]]);
  });

  test.each(["addAll", "del"] as const)(
    "a promise of %s is kept when the hub has given the change its place",
    async (method) => {
      const box = await populated();
      const [home] = box.workers;
      const adapter = home?.adapter;
      if (method === "del") adapter?.addAll("a", new Set(["red"]));
      await box.settle();
      let isKept = false;

      const promise = method === "del" ? adapter?.del("a", "red") : adapter?.addAll("a", new Set(["red"]));
      void promise?.then(() => {
        isKept = true;
      });
      await new Promise((resolve) => setImmediate(resolve));
      const before = isKept;
      await box.settle();

      expect([before, isKept]).toEqual([false, true]);
    },
  );
});
