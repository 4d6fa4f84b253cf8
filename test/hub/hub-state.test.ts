// A hub that took up the state of another one answers as the other would have.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Hub } from "../../src/hub/hub.ts";
import { StateFile } from "../../src/hub/state-file.ts";
import { attach, changeRooms, missedBy, newHub, publish, restore, TestWorker } from "../helpers/test-hub.ts";

const PIDS = ["p0", "p1", "p2"];
const WINDOW_MS = 1000;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "allcores-state-"));
});

afterEach(() => rm(folder, { recursive: true }));

function stateFile(): StateFile {
  const owner = { build: "b", app: "a", hostname: "h", bootId: "" };
  return new StateFile({ path: join(folder, "hub.state"), owner, windowMs: WINDOW_MS });
}

/** What a box does that stops, and the next one. */
async function restart(hub: Hub, options: Parameters<typeof newHub>[0] = {}): Promise<Hub> {
  const file = stateFile();
  await file.write(hub.snapshot(0), 0, AbortSignal.timeout(10_000));
  const state = await file.read(0);
  file.consume();
  const next = newHub(options);
  if (state !== undefined) next.restore(state, 0);
  return next;
}

type Step =
  | { readonly type: "join" | "leave"; readonly who: number; readonly room: string }
  | { readonly type: "publish"; readonly rooms: string[]; readonly except: string[] }
  | { readonly type: "drop"; readonly who: number };

const room = fc.constantFrom("red", "blue", "green");
const who = fc.nat(PIDS.length - 1);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ type: fc.constantFrom("join" as const, "leave" as const), who, room }) },
    {
      weight: 5,
      arbitrary: fc.record({
        type: fc.constant("publish" as const),
        rooms: fc.uniqueArray(room, { maxLength: 2 }),
        except: fc.uniqueArray(room, { maxLength: 1 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("drop" as const), who }) },
  ),
  { maxLength: 50 },
);

/** One worker has the clients, another one says things. */
class History {
  readonly #hub: Hub;
  readonly #home: TestWorker;
  readonly #other: TestWorker;

  constructor(hub: Hub) {
    this.#hub = hub;
    this.#home = new TestWorker(hub, 0);
    this.#other = new TestWorker(hub, 1);
  }

  connectAll(): void {
    for (const [key, pid] of PIDS.entries()) attach(this.#hub, this.#home, key, pid);
  }

  play(all: readonly Step[]): void {
    for (const step of all) {
      if (step.type === "publish") publish(this.#hub, this.#other, step.rooms, step.except);
      else if (step.type === "drop") this.#drop(step.who);
      else changeRooms(this.#hub, this.#home, `hub:${step.type}`, step.who, step.room);
    }
  }

  /** Each client returns from its position: what it is told. */
  returns(positions: readonly number[], epoch: string): unknown[] {
    return PIDS.map((pid, key) => {
      const { outcome } = restore(this.#hub, this.#home, key, pid, positions[key] ?? 0, 0, epoch);
      return { outcome: withSortedRooms(outcome), missed: typeof outcome === "string" ? [] : missedBy(this.#home) };
    });
  }

  #drop(key: number): void {
    const message = { type: "hub:detach", key, isRecoverable: true } as const;
    this.#hub.onMessage(this.#home.worker, message, Buffer.alloc(0), 0);
  }
}

function withSortedRooms(outcome: unknown): unknown {
  if (typeof outcome === "string") return outcome;
  const { sid, rooms } = outcome as { sid: string; rooms: string[] };
  return { sid, rooms: [...rooms].sort() };
}

describe("a hub that takes up a saved state", () => {
  test("gives every client what the first would have given it, for any history before and after", async () => {
    const positions = fc.array(fc.nat(60), { minLength: PIDS.length, maxLength: PIDS.length });

    await fc.assert(
      fc.asyncProperty(steps, steps, positions, positions, async (before, after, first, second) => {
        const stays = newHub();
        const saved = newHub();
        for (const hub of [stays, saved]) {
          const history = new History(hub);
          history.connectAll();
          history.play(before);
          // The box stops: all workers go.
          hub.snapshot(0);
        }
        const next = await restart(saved);

        const answers = [stays, next].map((hub) => {
          const history = new History(hub);
          const returned = history.returns(first, hub === next ? saved.epoch : hub.epoch);
          history.play(after);
          const again = history.returns(second, hub.epoch);
          return { returned, again };
        });

        expect(answers[1]).toEqual(answers[0]);
      }),
      { numRuns: 200 },
    );
  });

  test("knows the data of a session", async () => {
    const hub = newHub();
    const home = new TestWorker(hub, 0);
    attach(hub, home, 1, "p");
    hub.onMessage(home.worker, { type: "hub:data", key: 1 }, Buffer.from("its data"), 0);

    const next = await restart(hub);
    const worker = new TestWorker(next, 0);
    restore(next, worker, 1, "p", 0, 0, hub.epoch);

    expect(String(worker.last("hub:restored").body)).toBe("its data");
  });

  test("knows nothing of what was said while it was being written, and all of what was said before", async () => {
    const hub = newHub();
    const home = new TestWorker(hub, 0);
    attach(hub, home, 1, "p");
    publish(hub, home, [], [], "before");
    const file = stateFile();

    const written = file.write(hub.snapshot(0), 0, AbortSignal.timeout(10_000));
    publish(hub, home, [], [], "meanwhile, from another box");
    await written;
    const next = newHub();
    const state = await file.read(0);
    if (state !== undefined) next.restore(state, 0);
    const worker = new TestWorker(next, 0);
    restore(next, worker, 1, "p", 0, 0, hub.epoch);

    expect(missedBy(worker)).toEqual([1]);
    expect(next.stats()).toMatchObject({ sequence: 1, logMessages: 1 });
  });

  test("has an epoch of its own, and knows positions of every life before it", async () => {
    const first = newHub();
    attach(first, new TestWorker(first, 0), 1, "p");

    const second = await restart(first);
    const third = await restart(second);
    const worker = new TestWorker(third, 0);

    expect(new Set([first, second, third].map(({ epoch }) => epoch)).size).toBe(3);
    expect(restore(third, worker, 1, "p", 0, 0, first.epoch).outcome).toMatchObject({ sid: "sid-p" });
    expect(restore(third, worker, 2, "p", 0, 0, second.epoch).outcome).toMatchObject({ sid: "sid-p" });
    expect(restore(third, worker, 3, "p", 0, 0, "zzzzzzzz").outcome).toBe("unknown");
  });

  // A file that came back from a backup: clients of the life it knows nothing of must not get half of what they missed.
  test("does not know positions that the life it comes from never reached", async () => {
    const hub = newHub();
    const home = new TestWorker(hub, 0);
    attach(hub, home, 1, "p");
    publish(hub, home, []);

    const next = await restart(hub);
    const worker = new TestWorker(next, 0);
    publish(next, worker, []);

    expect(restore(next, worker, 1, "p", 2, 0, hub.epoch).outcome).toBe("unknown");
    expect(restore(next, worker, 1, "p", 1, 0, hub.epoch).outcome).toMatchObject({ sid: "sid-p" });
    expect(missedBy(worker)).toEqual([2]);
  });

  test("remembers what an excepted room kept away, although the room is left only after the restart", async () => {
    const hub = newHub();
    const home = new TestWorker(hub, 0);
    attach(hub, home, 1, "p");
    changeRooms(hub, home, "hub:join", 1, "blue");
    publish(hub, home, [], ["blue"]);

    const next = await restart(hub);
    const worker = new TestWorker(next, 0);
    restore(next, worker, 1, "p", 1, 0, hub.epoch);
    changeRooms(next, worker, "hub:leave", 1, "blue");
    restore(next, worker, 2, "p", 0, 0, hub.epoch);

    expect(missedBy(worker)).toEqual([]);
  });

  test("does not replay to a session from before the stays that it has had to forget", async () => {
    const hub = newHub();
    const home = new TestWorker(hub, 0);
    attach(hub, home, 1, "p");
    for (let i = 0; i < 150; i++) {
      changeRooms(hub, home, "hub:join", 1, "red");
      publish(hub, home, ["red"]);
      changeRooms(hub, home, "hub:leave", 1, "red");
    }

    const next = await restart(hub);
    const worker = new TestWorker(next, 0);

    expect(restore(next, worker, 1, "p", 10, 0, hub.epoch).outcome).toBe("trimmed");
    expect(restore(next, worker, 1, "p", 100, 0, hub.epoch).outcome).toMatchObject({ sid: "sid-p" });
    expect(missedBy(worker)).toHaveLength(50);
  });

  test("lets sessions and messages go when their window is over, however often the box is restarted", async () => {
    const hub = newHub({ windowMs: WINDOW_MS });
    const home = new TestWorker(hub, 0);
    attach(hub, home, 1, "p");
    publish(hub, home, []);

    const next = await restart(await restart(hub, { windowMs: WINDOW_MS }), { windowMs: WINDOW_MS });
    next.sweep(WINDOW_MS + 1);

    expect(next.stats()).toMatchObject({ detached: 0, rooms: 0, logMessages: 0 });
  });

  test("keeps no more of the log than it may", async () => {
    const hub = newHub();
    const home = new TestWorker(hub, 0);
    attach(hub, home, 1, "p");
    for (let i = 0; i < 50; i++) publish(hub, home, [], [], "x".repeat(100_000));

    const next = await restart(hub, { maxLogBytes: 2 * 1_048_576 });
    const worker = new TestWorker(next, 0);

    expect(next.stats().logBytes).toBeLessThanOrEqual(2 * 1_048_576);
    expect(restore(next, worker, 1, "p", 0, 0, hub.epoch).outcome).toBe("trimmed");
    expect(restore(next, worker, 1, "p", 48, 0, hub.epoch).outcome).toMatchObject({ sid: "sid-p" });
    expect(missedBy(worker)).toEqual([49, 50]);
  });
});
