// How much a client may send: to a real server, over WebSocket and long-polling.

import type { Socket } from "socket.io";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  type GuardedServer,
  type GuardedServerSettings,
  nextEvent,
  startGuardedServer,
} from "../helpers/guarded-server.ts";
import { connectRaw } from "../helpers/raw-client.ts";

let server: GuardedServer;
afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

/** The guard's clock stands still from here on, however slow the machine is; sockets and timers go on. */
function stopClock(): void {
  vi.useFakeTimers({ toFake: ["performance"] });
}

/** Counts the events that a handler got. */
async function startCounter(settings: GuardedServerSettings = {}): Promise<{ handled: number }> {
  const counter = { handled: 0 };
  const serve = (socket: Socket): void => {
    socket.on("event", (_data, ack) => {
      counter.handled++;
      ack?.("ok");
    });
  };
  server = await startGuardedServer({
    ...settings,
    setup: (io) => {
      io.on("connection", serve);
      io.of(/^\/.+/).on("connection", serve);
    },
  });
  return counter;
}

const slow = { "limits.eventsPerSecond": 1, "limits.eventBurst": 3 };

describe.each(["websocket", "polling"])("over %s", (transport) => {
  test("events past the burst are refused through the ack, with the time to wait", async () => {
    stopClock();
    const counter = await startCounter({ config: slow });
    const client = server.client({ transports: [transport] });
    await nextEvent(client, "connect");

    const answers = await Promise.all([1, 2, 3, 4, 5].map((n) => client.emitWithAck("event", n)));

    expect(answers.slice(0, 3)).toEqual(["ok", "ok", "ok"]);
    expect(answers[4]).toEqual({
      error: {
        code: "ALLCORES_ERR_RATE_LIMITED",
        message: expect.stringMatching(/^Too many events\. Try again in \d+ ms\.$/),
        retryAfterMs: expect.any(Number),
      },
    });
    expect(counter.handled).toBe(3);
    expect(server.refused).toEqual(new Map([["rate", 2]]));
  });

  test("without an ack they are refused by an event", async () => {
    stopClock();
    await startCounter({ config: slow });
    const client = server.client({ transports: [transport] });
    await nextEvent(client, "connect");

    for (let n = 0; n < 4; n++) client.emit("event", n);

    expect(await nextEvent(client, "allcores:error")).toMatchObject([
      { code: "ALLCORES_ERR_RATE_LIMITED", event: "event", retryAfterMs: expect.any(Number) },
    ]);
  });

  test("a client that waits as long as it is told to is served again", async () => {
    stopClock();
    const counter = await startCounter({ config: { "limits.eventsPerSecond": 20, "limits.eventBurst": 1 } });
    const client = server.client({ transports: [transport] });
    await nextEvent(client, "connect");

    const answers = await Promise.all([client.emitWithAck("event", 1), client.emitWithAck("event", 2)]);
    vi.advanceTimersByTime(answers[1].error.retryAfterMs - 1);
    const tooSoon = await client.emitWithAck("event", 3);
    vi.advanceTimersByTime(tooSoon.error.retryAfterMs);

    expect(await client.emitWithAck("event", 4)).toBe("ok");
    expect(counter.handled).toBe(2);
  });
});

test("the defaults let 200 events through at once, and no more", async () => {
  stopClock();
  const counter = await startCounter();
  const client = server.client({ transports: ["websocket"] });
  await nextEvent(client, "connect");

  await Promise.all(Array.from({ length: 201 }, (_unused, n) => client.emitWithAck("event", n)));

  expect(counter.handled).toBe(200);
  expect(server.refused).toEqual(new Map([["rate", 1]]));
});

test("with eventsPerSecond 0 there is no limit", async () => {
  const counter = await startCounter({ config: { "limits.eventsPerSecond": 0, "limits.eventBurst": 1 } });
  const client = server.client({ transports: ["websocket"] });
  await nextEvent(client, "connect");

  await Promise.all(Array.from({ length: 1000 }, (_unused, n) => client.emitWithAck("event", n)));

  expect(counter.handled).toBe(1000);
});

test("attachments and acks do not count as events", async () => {
  const counter = await startCounter({ config: slow });
  server.io.of("/").on("connection", (socket) => {
    for (let n = 0; n < 10; n++) socket.emit("asked", (answer: unknown) => (counter.handled += Number(answer)));
  });
  const client = server.client({ transports: ["websocket"] });
  client.on("asked", (ack) => ack(0));
  await nextEvent(client, "connect");

  const buffers = Array.from({ length: 10 }, () => Buffer.from("x"));
  const answers = await Promise.all([1, 2, 3].map(() => client.emitWithAck("event", buffers)));

  expect(answers).toEqual(["ok", "ok", "ok"]);
  expect(server.refused.size).toBe(0);
});

test("each namespace of a connection has its own rate, and leaving and joining again does not refill it", async () => {
  stopClock();
  await startCounter({ config: slow });
  const client = await connectRaw(server.port);
  client.send("40/other");
  await client.next("40/other,");

  for (let n = 0; n < 3; n++) client.send('42["event",1]');
  client.send("41");
  client.send('42/other,7["event",1]');
  const answerOfOther = await client.next("43/other,7");
  client.received.length = 0;
  client.send("40");
  await client.next("40{");
  client.send('428["event",1]');

  expect(answerOfOther).toContain("ok");
  expect(await client.next("438")).toContain("ALLCORES_ERR_RATE_LIMITED");
});

describe("a client that does not stop is disconnected", () => {
  const floods: [string, (n: number) => string][] = [
    ["events", () => '42["event",1]'],
    ["events that ask for acks", (n) => `42${n}["event",1]`],
    ["acks that nobody asked for", (n) => `43${n}[]`],
    ["packets with reserved names", () => '42["error"]'],
    ["CONNECTs", (n) => `40/room-${n}`],
    ["Engine.IO pongs", () => "3"],
    ["Engine.IO noops", () => "6"],
  ];

  test.each(floods)("when it sends %s, and others are served meanwhile", async (_what, frame) => {
    await startCounter();
    const bystander = server.client({ transports: ["websocket"] });
    await nextEvent(bystander, "connect");
    const flooder = await connectRaw(server.port);

    for (let n = 0; n < 20_000; n++) flooder.send(frame(n));
    await flooder.closed;

    expect(await bystander.emitWithAck("event", 1)).toBe("ok");
    expect(server.refused.get("flood") ?? 0).toBeLessThanOrEqual(1);
    expect(server.io.engine.clientsCount).toBe(1);
  });

  test("when it floods in one long-polling request", async () => {
    const counter = await startCounter();
    const { sid } = await openPolling(server.url);

    await post(server.url, sid, "40");
    await post(server.url, sid, Array.from({ length: 50_000 }, () => '42["event",1]').join("\x1e")).catch(() => {});
    const next = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`);

    expect(next.status).toBe(400);
    expect(counter.handled).toBeLessThanOrEqual(200);
    expect(server.logged).toEqual(["a client that went on flooding was disconnected"]);
  });
});

async function openPolling(url: string): Promise<{ sid: string }> {
  const opened = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
  return JSON.parse((await opened.text()).slice(1));
}

function post(url: string, sid: string, body: string): Promise<Response> {
  return fetch(`${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, { method: "POST", body });
}
