// A load side that is too slow measures itself: its run must not count.

import { afterAll, beforeAll, expect, test } from "vitest";
import { runScenario } from "../../dist/src/bench/run-scenario.js";
import { type BenchServer, endServer, startBenchServer } from "../helpers/bench-server.ts";
import { fixture } from "../helpers/box.ts";

let server: BenchServer;
beforeAll(async () => {
  server = await startBenchServer();
});
afterAll(() => endServer(server));

test("a load process that cannot keep its schedule voids the run, whatever the server did", async () => {
  const params = { clients: 20, rate: 200, seconds: 1, warmupSeconds: 0, connectRate: 0 };
  process.env.NODE_OPTIONS = `--import=${fixture("slow-load-process.mjs")}`;

  const { voidReasons, ledger, load } = await runScenario({ scenario: "rooms", params }, server.target);

  expect(ledger.ok).toBe(true);
  expect(voidReasons).toContainEqual(expect.stringMatching(/^the load side missed its schedule/));
  expect(voidReasons).toContainEqual(expect.stringMatching(/^the load side was the bottleneck/));
  expect(load.maxBusy).toBeGreaterThan(0.9);
  delete process.env.NODE_OPTIONS;
});
