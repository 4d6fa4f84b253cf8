import { describe, expect, test } from "vitest";
import { describeChanges } from "../../../src/admin/page/changes.ts";
import { History } from "../../../src/admin/page/history.ts";
import { linePath } from "../../../src/admin/page/sparkline.ts";
import type { TrafficTotals } from "../../../src/primary/status.ts";
import { boxStatus, workerStatus } from "../box-status.ts";

function withTraffic(traffic: Partial<TrafficTotals>, startedAt = "2030-01-01T00:00:00.000Z") {
  return boxStatus({ startedAt, traffic: { ...boxStatus().traffic, ...traffic } });
}

describe("History", () => {
  test("makes rates per second of two totals, however far apart they are", () => {
    const history = new History();
    history.add(withTraffic({ messagesIn: 100 }), 1000);

    const moment = history.add(withTraffic({ messagesIn: 600 }), 3000);

    expect(moment.messagesIn).toBe(250);
  });

  test("knows no rate at the first report", () => {
    const history = new History();

    const moment = history.add(withTraffic({ messagesIn: 100 }), 1000);

    expect(moment.messagesIn).toBeNull();
    expect(history.series(({ messagesIn }) => messagesIn)).toEqual([]);
  });

  // The totals of a new box begin at zero: a rate over the restart would be a large negative number.
  test("begins anew with a box that was started anew", () => {
    const history = new History();
    history.add(withTraffic({ messagesIn: 5000 }), 1000);

    const moment = history.add(withTraffic({ messagesIn: 1 }, "2030-01-02T00:00:00.000Z"), 2000);

    expect(moment.messagesIn).toBeNull();
    expect(history.series(({ connections }) => connections)).toEqual([20]);
  });

  test("takes the slowest worker's lag, and remembers two minutes of each worker's", () => {
    const history = new History();

    for (let second = 0; second < 200; second++) {
      const workers = [workerStatus(0, { loopLagMs: 1 }), workerStatus(1, { loopLagMs: second })];
      history.add(boxStatus({ workers }), second * 1000);
    }

    const lag = history.series(({ workerLagMs }) => workerLagMs.get(1));
    expect([lag.length, lag[0], lag.at(-1)]).toEqual([120, 80, 199]);
    expect(history.series(({ loopLagMs }) => loopLagMs)).toEqual(lag);
  });
});

describe("linePath", () => {
  test("ends at the right edge and puts zero at the bottom and the top value at the top", () => {
    expect(linePath([0, 10], 10)).toBe("M119 30.0L120 2.0");
  });

  test("draws nothing from a single value", () => {
    expect(linePath([5], 10)).toBe("");
  });
});

describe("describeChanges", () => {
  test("says which states changed, and nothing of numbers", () => {
    const before = boxStatus({ redis: { state: "connected", detail: "" } });
    const after = boxStatus({
      state: "draining",
      workers: [workerStatus(0, { connections: 99 }), workerStatus(1, { state: "gone" })],
      redis: { state: "down", detail: "" },
    });

    expect(describeChanges(before, after)).toEqual(["The box is draining.", "Worker 1 is gone.", "Redis is down."]);
    expect(describeChanges(before, before)).toEqual([]);
  });
});
