import { describe, expect, test } from "vitest";
import { pickLeastLoaded, WorkerLoad } from "../../src/primary/pick-worker.ts";

const workers = (count: number) => Array.from({ length: count }, (_, slot) => ({ slot, load: new WorkerLoad() }));

describe("pickLeastLoaded", () => {
  test("spreads a burst evenly before any worker has reported", () => {
    const all = workers(8);

    for (let i = 0; i < 1000; i++) pickLeastLoaded(all)?.load.assign();

    expect(all.map(({ load }) => load.clients)).toEqual(Array.from({ length: 8 }, () => 125));
  });

  test("does not count a client twice once the worker has reported it", () => {
    const load = new WorkerLoad();
    for (let i = 0; i < 10; i++) load.assign();

    load.report({ clients: 6, received: 7 });

    expect(load.clients).toBe(6 + 3);
  });

  test("prefers the worker whose clients have left", () => {
    const [a, b] = workers(2);
    for (const worker of [a, b]) for (let i = 0; i < 5; i++) worker?.load.assign();

    b?.load.report({ clients: 1, received: 5 });

    expect(pickLeastLoaded([a, b].flatMap((worker) => worker ?? []))).toBe(b);
  });

  test("picks nobody when there is nobody", () => {
    expect(pickLeastLoaded([])).toBeUndefined();
  });
});
