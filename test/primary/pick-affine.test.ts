import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AffinePicker } from "../../src/primary/pick-affine.ts";
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

const loadsOf = (candidates: readonly Candidate[]) => candidates.map(({ load }) => load.clients);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const most = (total: number, count: number) => Math.max((total / count) * 1.25, total / count + 12);

const anyLoads = fc.array(fc.nat(1000), { minLength: 1, maxLength: 64 });
const anyKey = fc.string({ minLength: 1, maxLength: 50, unit: "binary" });

describe("AffinePicker", () => {
  test("sends a new key to one worker, in whatever order the workers are listed", () => {
    fc.assert(
      fc.property(anyLoads, anyKey, (loads, key) => {
        const forwards = new AffinePicker().assign(key, workers(loads));

        expect(new AffinePicker().assign(key, workers(loads).reverse())?.slot).toBe(forwards?.slot);
      }),
    );
  });

  test("always finds a worker when there is one, and none when there is none", () => {
    fc.assert(
      fc.property(anyLoads, anyKey, (loads, key) => {
        expect(new AffinePicker().assign(key, workers(loads))).toBeDefined();
      }),
    );
    expect(new AffinePicker().assign("key", [])).toBeUndefined();
  });

  test("a key stays where it is, and is new again when a hundred thousand others were asked for since", () => {
    const picker = new AffinePicker();
    const slotOf = (key: string, slots: readonly number[]): number | undefined =>
      picker.assign(
        key,
        workers([0, 0]).filter(({ slot }) => slots.includes(slot)),
      )?.slot;
    const home = new AffinePicker().assign("key", workers([0, 0]))?.slot ?? 0;
    slotOf("key", [1 - home]);

    const before = slotOf("key", [0, 1]);
    for (let i = 0; i < 100_000; i++) slotOf(`other ${i}`, [0, 1]);
    const after = slotOf("key", [0, 1]);

    expect([before, after]).toEqual([1 - home, home]);
  });

  test("keeps keys of one size together, in whatever order their clients come", () => {
    const order = fc
      .record({ count: fc.integer({ min: 1, max: 16 }), keys: fc.integer({ min: 1, max: 100 }) })
      .chain(({ count, keys }) => {
        const clients = Array.from({ length: keys * 10 }, (_, i) => i % keys);
        const inTurn = fc.constant(clients);
        const oneByOne = fc.constant([...clients].sort((a, b) => a - b));
        return fc.record({ count: fc.constant(count), clients: fc.oneof(inTurn, oneByOne) });
      });

    fc.assert(
      fc.property(order, ({ count, clients }) => {
        const picker = new AffinePicker();
        const all = workers(Array.from({ length: count }, () => 0));

        const placed = clients.map((key) => `${key}:${picker.assign(`room ${key}`, all)?.slot}`);

        expect(new Set(placed).size).toBe(new Set(clients).size);
      }),
    );
  });

  test("moves a key only when its own worker goes, and leaves it where it is when that returns", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 64 }), fc.nat(), anyKey, (count, at, key) => {
        const picker = new AffinePicker();
        const all = workers(Array.from({ length: count }, () => 5));
        const gone = all[at % count];
        const others = all.filter((worker) => worker !== gone);

        const before = picker.assign(key, all);
        const without = picker.assign(key, others);
        const after = picker.assign(key, all);

        if (before === gone) expect(without).not.toBe(gone);
        else expect(without).toBe(before);
        expect(after).toBe(without);
      }),
    );
  });

  test("fills no worker past 1.25 times the mean, or 12 clients above it, whatever the keys", () => {
    const keys = fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 16 }), keys, (count, sequence) => {
        const picker = new AffinePicker();
        const all = workers(Array.from({ length: count }, () => 0));

        for (const key of sequence) picker.assign(key, all);

        expect(Math.max(...loadsOf(all))).toBeLessThanOrEqual(most(sequence.length, count));
      }),
    );
  });

  test("adds nothing to a worker that is past the bound already", () => {
    fc.assert(
      fc.property(anyLoads, anyKey, (loads, key) => {
        const picked = new AffinePicker().assign(key, workers(loads));

        expect(picked?.load.clients).toBeLessThanOrEqual(most(sum(loads) + 1, loads.length));
      }),
    );
  });

  test("sends the clients of a key that has outgrown its worker to one next worker first", () => {
    const picker = new AffinePicker();
    const all = workers([100, 100, 100, 100]);

    const slots = Array.from({ length: 60 }, () => picker.assign("popular", all)?.slot);

    expect(new Set(slots).size).toBe(2);
  });

  test("spreads many keys evenly", () => {
    const picker = new AffinePicker();
    const all = workers(new Array<number>(8).fill(0));

    for (let i = 0; i < 8000; i++) picker.assign(`room-${i}`, all);

    expect(Math.max(...loadsOf(all))).toBeLessThan(1010);
    expect(Math.min(...loadsOf(all))).toBeGreaterThan(990);
  });

  test("remembers a key that is asked for, however many others come in between", () => {
    const picker = new AffinePicker();
    const all = workers([0, 0]);
    const first = picker.assign("first", all);
    const empty = workers([0, 0]);
    for (let i = 0; i < 99_000; i++) picker.assign(`other-${i}`, empty);

    const again = picker.assign("first", all);
    for (let i = 0; i < 2000; i++) picker.assign(`more-${i}`, empty);
    const stillAgain = picker.assign("first", all);

    expect([again, stillAgain]).toEqual([first, first]);
  });
});
