import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WorkerPicker } from "../../src/primary/pick-worker.ts";
import { WorkerLoad } from "../../src/primary/worker-load.ts";

interface Worker {
  readonly slot: number;
  readonly load: WorkerLoad;
}

/** Long enough ago that nobody warms up or is late. */
const START_MS = 100_000;

function workersWith(clients: readonly number[], lagsMs: readonly number[] = []): Worker[] {
  return clients.map((count, slot) => {
    const load = new WorkerLoad();
    load.report({ clients: count, received: 0, loopLagMs: 0 }, 0);
    load.report({ clients: count, received: 0, loopLagMs: lagsMs[slot] ?? 0 }, START_MS);
    return { slot, load };
  });
}

const idle = (count: number): number[] => new Array<number>(count).fill(0);
const clientsOf = (workers: readonly Worker[]): number[] => workers.map(({ load }) => load.clients);
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Assigns so many clients; how many each worker was given. */
function assign(workers: readonly Worker[], count: number, picker = new WorkerPicker(), nowMs = START_MS): number[] {
  const before = clientsOf(workers);
  for (let i = 0; i < count; i++) picker.assign(workers, nowMs);
  return clientsOf(workers).map((clients, i) => clients - (before[i] ?? 0));
}

const manyWorkers = fc.integer({ min: 2, max: 32 });

describe("WorkerPicker", () => {
  test("spreads a burst of 1,000 on 8 workers evenly before any worker has reported", () => {
    expect(assign(workersWith(idle(8)), 1000)).toEqual(new Array(8).fill(125));
  });

  test("picks nobody when there is nobody, and the only one when there is one", () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(60_000), (clients, lagMs) => {
        const [only] = workersWith([clients], [lagMs]);

        expect(new WorkerPicker().assign(only === undefined ? [] : [only], START_MS)).toBe(only);
      }),
    );
    expect(new WorkerPicker().assign([], START_MS)).toBeUndefined();
  });

  test("whatever the workers have, gives each client to one that has least", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 16 }), fc.nat(100), (clients, count) => {
        const workers = workersWith(clients);
        const picker = new WorkerPicker();

        for (let i = 0; i < count; i++) {
          const least = Math.min(...clientsOf(workers));
          const picked = picker.assign(workers, START_MS);
          expect((picked?.load.clients ?? 0) - 1).toBe(least);
        }
      }),
    );
  });

  test("where all are equally late, or none is late, a burst is even", () => {
    fc.assert(
      fc.property(manyWorkers, fc.nat(5000), fc.integer({ min: 1, max: 500 }), (count, lagMs, clients) => {
        const lags = Array.from({ length: count }, (_, i) => lagMs + (i % 2) * Math.min(lagMs, 90));

        const given = assign(workersWith(idle(count), lags), clients);

        expect(Math.max(...given) - Math.min(...given)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("a slow worker gets fewer, the slower the fewer, and the others as many as each other", () => {
    fc.assert(
      fc.property(manyWorkers, fc.nat(31), (count, at) => {
        const slow = at % count;
        const share = (lagMs: number): number => {
          const lags = idle(count).map((_, i) => (i === slow ? lagMs : 5));
          const given = assign(workersWith(idle(count), lags), count * 100);
          const others = given.filter((_, i) => i !== slow);
          expect(Math.max(...others) - Math.min(...others)).toBeLessThanOrEqual(1);
          return (given[slow] ?? 0) / (sum(others) / others.length);
        };

        expect(share(90)).toBeGreaterThan(0.95);
        expect(share(200)).toBeCloseTo(1 / 2, 1);
        expect(share(400)).toBeCloseTo(1 / 4, 1);
        expect(share(60_000)).toBeCloseTo(1 / 8, 1);
      }),
    );
  });

  test("a worker that says nothing gets fewer, and as many as the others once it has spoken and caught up", () => {
    const workers = workersWith(idle(4));
    const picker = new WorkerPicker();
    for (const { load, slot } of workers) {
      if (slot !== 0) load.report({ clients: 0, received: 0, loopLagMs: 0 }, START_MS + 1800);
    }

    const [silent = 0, ...others] = assign(workers, 70, picker, START_MS + 1800);
    workers[0]?.load.report({ clients: silent, received: silent, loopLagMs: 0 }, START_MS + 1900);
    assign(workers, 30, picker, START_MS + 1900);

    expect(silent).toBeLessThan(Math.min(...others) / 2);
    expect(clientsOf(workers)).toEqual([25, 25, 25, 25]);
  });

  test("a fresh worker is filled gently: at first it takes no more than twice its share, in any stretch of clients", () => {
    fc.assert(
      fc.property(manyWorkers, fc.integer({ min: 20, max: 500 }), (count, clients) => {
        const workers = workersWith([0, ...new Array<number>(count - 1).fill(1000)]);
        workers[0]?.load.begin(START_MS, true);
        const picker = new WorkerPicker();

        const picks = Array.from({ length: clients }, () => picker.assign(workers, START_MS)?.slot);

        const most = (stretch: number): number => Math.ceil((stretch * 2) / (count + 1)) + 1;
        for (const stretch of [count, 4 * count, clients]) {
          const own = picks.slice(0, stretch).filter((slot) => slot === 0).length;
          expect(own).toBeLessThanOrEqual(most(Math.min(stretch, clients)));
        }
        expect(picks.filter((slot) => slot === 0).length).toBeGreaterThan(clients / count / 2);
      }),
    );
  });

  test("the longer it serves the more it takes, until it has caught up", () => {
    const share = (ageMs: number): number => {
      const workers = workersWith([0, 1000, 1000, 1000]);
      workers[0]?.load.begin(START_MS - ageMs, true);
      return (assign(workers, 600)[0] ?? 0) / 600;
    };

    const shares = [0, 2500, 5000, 7500, 10_000].map(share);

    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares[0]).toBeLessThanOrEqual(2 / 5);
    expect(shares.at(-1)).toBe(1);
  });

  test("where all are fresh, a slow one still gets fewer", () => {
    const workers = workersWith(idle(2), [300, 0]);
    for (const { load } of workers) load.begin(START_MS, true);

    const [slow = 0, other = 0] = assign(workers, 100);

    expect(other).toBeGreaterThan(2 * slow);
  });

  test("a worker that takes another's place has its clients at once", () => {
    const workers = workersWith([0, 1000]);
    workers[0]?.load.begin(START_MS, true);

    workers[0]?.load.endWarmUp();

    expect(assign(workers, 100)).toEqual([100, 0]);
  });

  test("where all are fresh, a burst is even, whenever each of them began", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(12_000), { minLength: 2, maxLength: 16 }), (ages) => {
        const workers = workersWith(idle(ages.length));
        for (const [i, age] of ages.entries()) workers[i]?.load.begin(START_MS - age, true);

        const given = assign(workers, ages.length * 20);

        expect(Math.max(...given)).toBeLessThanOrEqual(22);
      }),
    );
  });

  test("one of those that began together is not spared, one that came later or in place of another is", () => {
    const given = (laterMs: number, isReplacement: boolean): number[] => {
      const workers = workersWith([0, 6]);
      workers[0]?.load.begin(START_MS - 5000 + laterMs, isReplacement);
      workers[1]?.load.begin(START_MS - 5000, false);
      return assign(workers, 6);
    };

    expect(given(2000, false)).toEqual([6, 0]);
    expect(given(5000, false)[1]).toBeGreaterThan(0);
    expect(given(2000, true)[1]).toBeGreaterThan(0);
  });
});
