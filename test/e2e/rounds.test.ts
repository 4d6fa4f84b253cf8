// The primary of a real box works in rounds while messages come densely: asleep between them, which it counts as busy.

import { expect, onTestFinished, test } from "vitest";
import { joinFrom } from "../helpers/addressed.ts";
import { startBox, type TestBox } from "../helpers/box.ts";
import { metricOf } from "../helpers/metrics.ts";
import { until } from "../helpers/until.ts";

async function isAsleep(box: TestBox): Promise<boolean> {
  return (await metricOf(box, "allcores_event_loop_utilization_ratio", 'role="primary"')) > 0.9;
}

test("while messages come densely the primary sleeps, lets new clients in all the same, and ends when they end", async () => {
  // Long rounds: messages come densely enough on a slow machine too.
  const flags = ["--hub-flush-interval-ms", "100", "--limits-events-per-second", "0"];
  const box = await startBox({ app: "echo-app.mjs", workers: 2, flags });
  const speaker = await joinFrom(box.url, "127.0.0.1");
  if (typeof speaker !== "object") throw new Error(`The client was refused with ${speaker}.`);
  const timer = setInterval(() => {
    for (let i = 0; i < 5; i++) speaker.ws.send('42["say","room","x"]');
  }, 5);
  onTestFinished(() => clearInterval(timer));

  await until("the primary sleeps", () => isAsleep(box));
  const others = await Promise.all(Array.from({ length: 100 }, () => joinFrom(box.url, "127.0.0.1")));
  clearInterval(timer);
  await until("it does not any more", async () => !(await isAsleep(box)));

  expect(others.filter((other) => typeof other === "object")).toHaveLength(100);
  for (const client of [speaker, ...others]) if (typeof client === "object") client.ws.terminate();
  await box.stop();
});
