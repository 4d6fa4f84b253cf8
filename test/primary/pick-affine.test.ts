import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pickAffine } from "../../src/primary/pick-affine.ts";
import { WorkerLoad } from "../../src/primary/worker-load.ts";

interface Candidate {
  readonly slot: number;
  readonly load: WorkerLoad;
}

function workers(loads: readonly number[]): Candidate[] {
  return loads.map((clients, slot) => {
    const load = new WorkerLoad();
    load.report({ clients, received: 0, loopLagMs: 0 }, 0);
    return { slot, load };
  });
}

function assign(key: string, candidates: readonly Candidate[]): number | undefined {
  const picked = pickAffine(key, candidates);
  picked?.load.assign();
  return picked?.slot;
}

const loadsOf = (candidates: readonly Candidate[]) => candidates.map(({ load }) => load.clients);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

const anyLoads = fc.array(fc.nat(1000), { minLength: 1, maxLength: 64 });
const anyKey = fc.string({ minLength: 1, maxLength: 50, unit: "binary" });

describe("pickAffine", () => {
  test("sends equal keys to one worker, in whatever order the workers are listed", () => {
    fc.assert(
      fc.property(anyLoads, anyKey, (loads, key) => {
        const all = workers(loads);

        expect(pickAffine(key, [...all].reverse())).toBe(pickAffine(key, all));
      }),
    );
  });

  test("always finds a worker when there is one, and none when there is none", () => {
    fc.assert(
      fc.property(anyLoads, anyKey, (loads, key) => {
        expect(pickAffine(key, workers(loads))).toBeDefined();
      }),
    );
    expect(pickAffine("key", [])).toBeUndefined();
  });

  test("moves a key only when its own worker goes, and back when it returns", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 64 }), fc.nat(), anyKey, (count, at, key) => {
        const all = workers(Array.from({ length: count }, () => 5));
        const gone = all[at % count];
        const before = pickAffine(key, all);

        const without = pickAffine(
          key,
          all.filter((worker) => worker !== gone),
        );

        if (before === gone) expect(without).not.toBe(gone);
        else expect(without).toBe(before);
      }),
    );
  });

  test("fills no worker past 1.25 times the mean, or 12 clients above it, whatever the keys", () => {
    const keys = fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 16 }), keys, (count, sequence) => {
        const all = workers(Array.from({ length: count }, () => 0));

        for (const key of sequence) assign(key, all);

        const mean = sequence.length / count;
        expect(Math.max(...loadsOf(all))).toBeLessThanOrEqual(Math.max(mean * 1.25, mean + 12));
      }),
    );
  });

  test("adds nothing to a worker that is past the bound already", () => {
    fc.assert(
      fc.property(anyLoads, anyKey, (loads, key) => {
        const all = workers(loads);

        const { load } = pickAffine(key, all) as Candidate;

        const mean = (sum(loads) + 1) / loads.length;
        expect(load.clients + 1).toBeLessThanOrEqual(Math.max(mean * 1.25, mean + 12));
      }),
    );
  });

  test("sends the clients of a key that has outgrown its worker to one next worker first", () => {
    const all = workers([100, 100, 100, 100]);

    const slots = Array.from({ length: 60 }, () => assign("popular", all));

    expect(new Set(slots).size).toBe(2);
  });

  test("spreads many keys evenly", () => {
    const counts = new Array<number>(8).fill(0);
    const all = workers(counts);

    for (let i = 0; i < 8000; i++) {
      const slot = pickAffine(`room-${i}`, all)?.slot ?? 0;
      counts[slot] = (counts[slot] ?? 0) + 1;
    }

    expect(Math.max(...counts)).toBeLessThan(1150);
    expect(Math.min(...counts)).toBeGreaterThan(850);
  });
});
