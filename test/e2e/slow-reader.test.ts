// A client that does not read costs its worker a bounded number of bytes, and the others nothing.

import { expect, onTestFinished, test } from "vitest";
import { startBox } from "../helpers/box.ts";
import { newClient, nextEvent } from "../helpers/clients.ts";
import { metricOf } from "../helpers/metrics.ts";
import { connectRaw } from "../helpers/raw-client.ts";
import { until } from "../helpers/until.ts";

/** More than the buffers of two TCP sockets take. */
const MEGABYTES = 64;

/** Connects a client that is there and reads nothing; returns how to end it. */
const SLOW_CLIENTS = {
  async "over WebSocket"(url: string): Promise<() => void> {
    const slow = await connectRaw(Number(new URL(url).port));
    slow.socket.pause();
    return () => slow.socket.terminate();
  },
  async "over long-polling"(url: string): Promise<() => void> {
    const session = `${url}/socket.io/?EIO=4&transport=polling`;
    const { sid } = JSON.parse((await (await fetch(session)).text()).slice(1)) as { sid: string };
    await fetch(`${session}&sid=${sid}`, { method: "POST", body: "40" });
    return () => {};
  },
};

test.each(Object.entries(SLOW_CLIENTS))(
  "a client that reads too slowly %s is closed and counted, and the others go on",
  async (_how, connectSlow) => {
    const box = await startBox({
      app: "repeats-loudly.mjs",
      workers: 1,
      env: { ALLCORES_RECOVERY_MAX_CLIENT_BYTES: "1048576" },
    });
    onTestFinished(() => box.stop());
    const endSlow = await connectSlow(box.url);
    onTestFinished(endSlow);
    const reader = newClient(box.url, { transports: ["websocket"] });
    onTestFinished(() => void reader.disconnect());

    // No faster than the other one reads.
    for (let i = 0; i < MEGABYTES; i++) {
      reader.emit("say", i);
      expect(await nextEvent(reader, "said")).toBe(i);
    }

    expect(await metricOf(box, "allcores_refusals_total", 'reason="slow_client"')).toBe(1);
    await until("the slow one is gone", async () => (await box.status()).workers[0]?.connections === 1);
  },
);
