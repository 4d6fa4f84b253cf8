// The load test on an app that was not written for it: the demo chat, on a real box.

import { expect, onTestFinished, test } from "vitest";
import { runScenario } from "../../dist/src/bench/run-scenario.js";
import { DEMO_PROTOCOL } from "../../src/bench/protocols.ts";
import { startBox } from "../helpers/box.ts";

test("every message of a chat is accounted for, on any app whose events are described", async () => {
  const box = await startBox({ workers: 2 });
  onTestFinished(async () => void (await box.stop()));
  const params = { clients: 20, roomSize: 5, rate: 20, seconds: 2, warmupSeconds: 0, placement: "scattered" };

  const target = { name: "demo", urls: [box.url] };
  const { counts, ledger } = await runScenario({ scenario: "rooms", params, protocol: DEMO_PROTOCOL }, target);

  // The author of a message is answered, not sent it: four of five members of a room hear it.
  expect(counts).toEqual({ sent: 40, expected: 160, delivered: 160, acked: 40 });
  expect(ledger).toMatchObject({ lost: 0, missed: 0, duplicates: 0, senderOrder: 0, stray: 0, corrupt: 0 });
});
