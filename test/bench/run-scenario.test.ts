// The load side against one plain Socket.IO server.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import app from "../../dist/src/bench/bench-app.js";
import { runScenario } from "../../dist/src/bench/run-scenario.js";
import type { Params, Progress, RunResult, ScenarioPlan } from "../../src/bench/contract.ts";
import { type BenchServer, endServer, startBenchServer } from "../helpers/bench-server.ts";
import { startServer } from "../helpers/faulty-server.ts";

const SHORT: Params = { seconds: 1, warmupSeconds: 0, connectRate: 0 };
const CLEAN = { lost: 0, missed: 0, duplicates: 0, senderOrder: 0, roomOrder: 0, stray: 0, corrupt: 0 };

/** With a server of its own: two runs at a time would meet in its rooms. */
async function run(scenario: string, params: Params, plan: Partial<ScenarioPlan> = {}): Promise<RunResult> {
  const server = await startServer((io) => app.setup(io, { slot: 0 }));
  const whole = { scenario, params: { ...SHORT, ...params }, loadProcesses: 1, ...plan };
  return runScenario(whole, { name: "in-process", urls: [server.url] }).finally(server.close);
}

describe.concurrent("runScenario", () => {
  test.each([
    ["rooms", { clients: 40, roomSize: 10, rate: 200 }, { sent: 200, expected: 2000, acked: 0 }],
    ["room", { clients: 30, rate: 20 }, { sent: 20, expected: 600, acked: 0 }],
    ["echo", { clients: 10, rate: 100 }, { sent: 100, expected: 100, acked: 100 }],
    ["direct", { clients: 10, rate: 100 }, { sent: 100, expected: 100, acked: 0 }],
    ["broadcast", { clients: 20, senders: 3, rate: 50 }, { sent: 50, expected: 1000, acked: 0 }],
    ["ack", { clients: 20, roomSize: 5, rate: 50 }, { sent: 50, expected: 300, acked: 50 }],
    ["cpu", { clients: 20, rate: 50, heavyPercent: 4, mode: "inline" }, { sent: 50, expected: 50, acked: 50 }],
  ])("counts every message of %s", async (scenario, params, counts) => {
    const result = await run(scenario, params);

    expect(result.counts).toEqual({ ...counts, delivered: counts.expected });
    expect(result.ledger).toMatchObject({ ...CLEAN, ok: true });
    expect(result.connects).toMatchObject({ connected: params.clients, refused: 0 });
  });

  test("counts connections that come and go", async () => {
    const result = await run("churn", {
      clients: 10,
      roomSize: 5,
      rate: 50,
      seconds: 2,
      birthRate: 10,
      lifeSeconds: 1,
    });

    expect(result.ledger).toMatchObject({ ...CLEAN, ok: true });
    expect(result.counts).toMatchObject({ sent: 100, delivered: result.counts.expected });
    expect(result.connects.attempted).toBeGreaterThan(10);
  });
});

test("idle clients answer pings: the server keeps them", async () => {
  const server = await startServer((io) => app.setup(io, { slot: 0 }), { pingInterval: 300, pingTimeout: 5000 });
  const gone: string[] = [];
  server.io.on("connection", (socket) => socket.on("disconnect", (reason) => gone.push(reason)));
  let pongs = 0;
  server.io.engine.on("connection", (transport) => transport.on("heartbeat", () => pongs++));
  const plan = { scenario: "idle", params: { ...SHORT, clients: 5, seconds: 2 } };

  await runScenario(plan, { name: "pinging", urls: [server.url] });
  await server.close();

  expect(pongs).toBeGreaterThan(5);
  expect(gone).not.toContain("ping timeout");
});

describe("with the server's pids", () => {
  let server: BenchServer;
  beforeAll(async () => {
    server = await startBenchServer();
  });
  afterAll(() => endServer(server));

  test("a run tells what the server cost, second by second, and how the load side did", async () => {
    const seen: Progress[] = [];
    const plan = { scenario: "rooms", params: { ...SHORT, warmupSeconds: 1, clients: 40, rate: 400 } };

    const result = await runScenario(plan, server.target, { onProgress: (progress) => seen.push(progress) });

    expect(result.counts).toMatchObject({ sent: 800, expected: 8000, delivered: 8000 });
    expect(result.cost?.cpuUs.total).toBeGreaterThan(0);
    expect(result.cost?.cpuUsPerMessage.socketWorker).toBeGreaterThan(0);
    expect(result.cost?.syscallsPerMessage.total).toBeGreaterThan(0);
    expect(result.cost?.pssBytes.total).toBeGreaterThan(1_000_000);
    const traffic = result.series.filter(({ second }) => second >= 0);
    expect(traffic.map(({ second }) => second)).toEqual([0, 1]);
    expect(traffic.reduce((sum, { sent }) => sum + sent, 0)).toBeGreaterThan(0);
    // Whichever second it was read in: on a busy machine the reading of one may come in the next.
    expect(traffic.reduce((sum, { cpuMs }) => sum + (cpuMs?.total ?? 0), 0)).toBeGreaterThan(0);
    expect(result.load.cpuMs).toBeGreaterThan(0);
    expect(seen.length).toBeGreaterThan(0);
  });

  test("idle connections are measured, which have no messages", async () => {
    const { counts, figures, voidReasons } = await runScenario(
      { scenario: "idle", params: { ...SHORT, clients: 50 } },
      server.target,
    );

    expect(counts).toEqual({ sent: 0, expected: 0, delivered: 0, acked: 0 });
    expect(figures.map(({ name }) => name)).toEqual(["kilobytesPerConnection", "cpuUsPerConnectionSecond"]);
    expect(voidReasons).toEqual([]);
  });

  test("a run ends early when the signal says so", async () => {
    const aborting = new AbortController();
    const plan = { scenario: "rooms", params: { ...SHORT, clients: 10, rate: 100, seconds: 60 } };

    const result = runScenario(plan, server.target, {
      signal: aborting.signal,
      onProgress: () => aborting.abort(),
    });

    await expect(result).rejects.toMatchObject({ code: "ALLCORES_ERR_BENCH" });
  });
});

describe.concurrent("clients that come back", () => {
  const away = { clients: 20, rate: 200, seconds: 3, everySeconds: 2, awaySeconds: 1, connectRate: 0 };

  test("have missed messages where the server does not recover sessions", async () => {
    const { ledger, connects, counts } = await run("jitter", away);

    expect(connects.returns).toBeGreaterThan(0);
    expect(connects.recovered).toBe(0);
    expect(ledger).toMatchObject({ ...CLEAN, ok: false, missed: counts.expected - counts.delivered });
    expect(ledger.missed).toBeGreaterThan(0);
  });

  test("have everything where it does, but for those that had no offset yet", async () => {
    const server = await startBenchServer("recovery");
    const plan = { scenario: "jitter", params: { ...SHORT, ...away, everySeconds: 3 } };

    const { ledger, connects, figures } = await runScenario(plan, server.target).finally(() => endServer(server));

    expect(connects.recovered).toBeGreaterThan(0);
    expect(ledger).toMatchObject({ lost: 0, duplicates: 0, senderOrder: 0, roomOrder: 0, stray: 0 });
    expect(figures.find(({ name }) => name === "gapMaxMs")?.value).toBeGreaterThan(1000);
  });
});

describe("a plan that cannot be run", () => {
  const target = { name: "x", urls: ["http://127.0.0.1:1"] };

  test.each([
    ["an unknown scenario", { scenario: "nope" }, target, /no scenario "nope"/],
    ["an unknown parameter", { scenario: "rooms", params: { sise: 1 } }, target, /no parameter "sise"/],
    ["a bad value", { scenario: "rooms", params: { rate: Number.NaN } }, target, /"rate" must be a whole number/],
    ["a missing control", { scenario: "reload" }, target, /needs a target with `reload`/],
    ["a missing event", { scenario: "ack", protocol: { name: "p", events: {} } }, target, /`events.join`/],
    [
      "more messages than numbers",
      { scenario: "echo", params: { clients: 1, rate: 1_000_000 } },
      target,
      /9000000 messages/,
    ],
    ["no load process", { scenario: "rooms", loadProcesses: 0 }, target, /1 to 64 load processes/],
    ["a foreign address", { scenario: "rooms" }, { name: "x", urls: ["http://192.0.2.1:80"] }, /--i-own-this-server/],
    [
      "a name that may be foreign",
      { scenario: "rooms" },
      { name: "x", urls: ["http://127.0.0.1.example:80"] },
      /loopback/,
    ],
    ["another protocol", { scenario: "rooms" }, { name: "x", urls: ["https://127.0.0.1:80"] }, /http:\/\/HOST:PORT/],
  ])("is refused: %s", async (_what, plan, where, message) => {
    await expect(runScenario(plan, where)).rejects.toMatchObject({
      code: "ALLCORES_ERR_USAGE",
      message: expect.stringMatching(message),
    });
  });
});
