// A deploy of what cannot reload, as the `reload` scenario sees it.

import { expect, test } from "vitest";
import { runScenario } from "../../dist/src/bench/run-scenario.js";
import { findTarget } from "../../dist/src/bench/targets.js";
import type { Params } from "../../src/bench/contract.ts";

const PARAMS: Params = { clients: 20, rate: 200, seconds: 6, warmupSeconds: 0, connectRate: 0, atSecond: 1 };

test("a restart takes all clients off and loses what is sent meanwhile; they come back, and the outage is told", async () => {
  const target = await findTarget("single").start(1);
  try {
    const result = await runScenario({ scenario: "reload", params: PARAMS, loadProcesses: 1 }, target);

    const figures = Object.fromEntries(result.figures.map(({ name, value }) => [name, value]));
    expect(figures).toMatchObject({ returns: 20, recoveredPercent: 0, notReturned: 0, hung: 0 });
    // The stock client waits half a second before it tries again, and so do these.
    expect(figures.gapP50Ms).toBeGreaterThan(450);
    expect(figures.lostMessages).toBe(result.ledger.lost + result.ledger.missed);
    expect(result.voidReasons).toContainEqual(
      expect.stringMatching(/missed by clients whose session was not recovered/),
    );
    expect(result.marks.map(({ label }) => label)).toEqual(["reload began", "reload done"]);
  } finally {
    await target.control.stop();
  }
});
