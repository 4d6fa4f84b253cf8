import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WorkerLoad } from "../../src/primary/worker-load.ts";

describe("WorkerLoad", () => {
  test("does not count a client twice once the worker has reported it", () => {
    const load = new WorkerLoad();
    for (let i = 0; i < 10; i++) load.assign();

    load.report({ clients: 6, received: 7, loopLagMs: 0 }, 0);

    expect(load.clients).toBe(6 + 3);
  });

  test("counts what was assigned exactly, however late the reports are and whatever came back", () => {
    const step = fc.constantFrom("assign", "arrive", "leave", "giveBack", "report");
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const load = new WorkerLoad();
        let onTheWay = 0;
        let received = 0;
        let clients = 0;
        let lefts = 0;
        for (const kind of steps) {
          if (kind === "assign") {
            load.assign();
            onTheWay++;
          } else if (kind === "arrive" && onTheWay > 0) {
            onTheWay--;
            received++;
            clients++;
          } else if (kind === "giveBack" && onTheWay > 0) {
            onTheWay--;
            load.unassign();
          } else if (kind === "leave" && clients > 0) {
            clients--;
            lefts++;
          } else if (kind === "report") {
            load.report({ clients, received, loopLagMs: 0 }, 0);
            lefts = 0;
          }

          expect(load.clients).toBe(onTheWay + clients + lefts);
        }
      }),
    );
  });

  test("takes a single stall for less than it was, and one that lasts for what it is", () => {
    const load = new WorkerLoad();
    const report = (loopLagMs: number, nowMs: number) => load.report({ clients: 0, received: 0, loopLagMs }, nowMs);
    report(0, 0);

    for (let nowMs = 250; nowMs <= 1000; nowMs += 250) report(400, nowMs);
    const afterASecond = load.lagMs(1000);
    for (let nowMs = 1250; nowMs <= 15_000; nowMs += 250) report(400, nowMs);
    const afterLong = load.lagMs(15_000);
    for (let nowMs = 15_250; nowMs <= 30_000; nowMs += 250) report(0, nowMs);

    expect(afterASecond).toBeLessThan(150);
    expect(afterLong).toBeGreaterThan(390);
    expect(load.lagMs(30_000)).toBeLessThan(5);
  });

  test("takes silence for lag", () => {
    const load = new WorkerLoad();
    load.report({ clients: 0, received: 0, loopLagMs: 0 }, 0);

    expect(load.lagMs(900)).toBe(0);
    expect(load.lagMs(1600)).toBe(1600);
  });
});
