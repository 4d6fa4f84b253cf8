// Out of file descriptors, in the primary or in a worker: nobody hangs, nothing ends, and afterwards all is as before.

import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import type { Socket as Client } from "socket.io-client";
import { afterEach, describe, expect, test } from "vitest";
import { startBox, type TestBox } from "../helpers/box.ts";
import { connectClient, openSocket, rawRequest, readToEnd } from "../helpers/clients.ts";
import { logged } from "../helpers/logged.ts";
import { metricOf } from "../helpers/metrics.ts";
import { until } from "../helpers/until.ts";

const PLENTY = 4096;
const REQUEST = "GET /x HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n";

let box: TestBox;
let clients: Client[] = [];

afterEach(async () => {
  for (const client of clients) client.disconnect();
  clients = [];
  await box.stop();
});

function setMaxFds(pid: number, count: number): void {
  execFileSync("prlimit", ["--pid", String(pid), `--nofile=${count}:${PLENTY}`]);
}

/** Leaves the process room for `free` more: a new one gets the lowest number that is free, which must be below the limit. */
function starve(pid: number, free: number): void {
  const used = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  const unused = Array.from({ length: used.size + free + 1 }, (_, fd) => fd).filter((fd) => !used.has(fd));
  setMaxFds(pid, unused[free] ?? 0);
}

async function workerPids(): Promise<number[]> {
  return (await box.status()).workers.map(({ pid }) => Number(pid));
}

async function areReady(): Promise<boolean> {
  return (await box.status()).workers.every(({ state }) => state === "ready");
}

/** Resolves when the first worker has reported so often. */
async function reports(count: number): Promise<void> {
  let heard = 0;
  let last = 0;
  await until("the worker reports", async () => {
    const [{ silentMs } = { silentMs: 0 }] = (await box.status()).workers;
    if (silentMs < last) heard++;
    last = silentMs;
    return heard >= count;
  });
}

async function join(): Promise<{ readonly slot: number }> {
  const { socket, welcome } = await connectClient<{ readonly slot: number }>(box.url);
  clients.push(socket);
  return welcome;
}

describe("a worker out of file descriptors", () => {
  test("its share goes to the other one", async () => {
    box = await startBox({ app: "echo-app.mjs", workers: 2 });
    const [starved = 0] = await workerPids();
    starve(starved, 3);

    const welcomes = await Promise.all(Array.from({ length: 40 }, join));

    expect(welcomes.filter(({ slot }) => slot === 0).length).toBeLessThanOrEqual(3);
    await logged(box, "worker is out of file descriptors");
    expect(box.child.exitCode).toBe(null);
  });

  test("when all are, connections are answered 503; when they have some again, they are served as before", async () => {
    box = await startBox({ app: "echo-app.mjs", workers: 2 });
    const pids = await workerPids();
    for (const pid of pids) starve(pid, 0);
    await reports(3);

    const refused = await Promise.all(Array.from({ length: 20 }, () => rawRequest(box.url, [REQUEST])));
    for (const pid of pids) setMaxFds(pid, PLENTY);
    await until("it serves", async () => (await rawRequest(box.url, [REQUEST])).startsWith("HTTP/1.1 200 "));
    const welcomes = await Promise.all(Array.from({ length: 40 }, join));

    expect(refused.map((answer) => answer.slice(0, 12))).toEqual(new Array(20).fill("HTTP/1.1 503"));
    expect(welcomes.filter(({ slot }) => slot === 0)).toHaveLength(20);
    expect(await workerPids()).toEqual(pids);
  });

  test("descriptors that come and go all the time end nothing", async () => {
    box = await startBox({ app: "echo-app.mjs", workers: 2, flags: ["--limits-max-connections", "1000"] });
    const pids = await workerPids();
    const [starved = 0] = pids;

    const answers: string[] = [];
    for (let round = 0; round < 30; round++) {
      starve(starved, 0);
      const asked = Promise.all(Array.from({ length: 10 }, () => rawRequest(box.url, [REQUEST])));
      setMaxFds(starved, PLENTY);
      answers.push(...(await asked));
    }

    expect(new Set(answers.map((answer) => answer.slice(0, 12)))).toEqual(new Set(["HTTP/1.1 200"]));
    expect(await workerPids()).toEqual(pids);
    expect(box.child.exitCode).toBe(null);
  });
});

describe("a primary out of file descriptors", () => {
  test("answers 503 while it has some left for itself, fills a slot meanwhile, and serves again", async () => {
    box = await startBox({ app: "echo-app.mjs", workers: 2, maxFds: 160 });
    const [doomed = 0, other] = await workerPids();
    const silent = await Promise.all(Array.from({ length: 120 }, () => openSocket(box.url)));
    const answers = Promise.all(silent.map((socket) => readToEnd(socket)));

    const refused = await rawRequest(box.url, [REQUEST]);
    process.kill(doomed, "SIGKILL");
    await until("the slot is filled", async () => {
      const [pid, second] = await workerPids();
      return pid !== doomed && pid !== 0 && second === other && (await areReady());
    });
    for (const socket of silent) socket.end();
    await answers;
    await until("it serves", async () => (await rawRequest(box.url, [REQUEST])).startsWith("HTTP/1.1 200 "));

    expect(refused).toMatch(/^HTTP\/1\.1 503 [\s\S]*Retry-After: \d+\r\n[\s\S]*ALLCORES_ERR_TOO_MANY_CONNECTIONS/);
    expect(await metricOf(box, "allcores_admission_refused_total", 'reason="no_descriptors"')).toBeGreaterThan(0);
  });

  test("that cannot fork tries again until it can", async () => {
    box = await startBox({ app: "chaos-app.mjs", workers: 2 });
    const { pid = 0 } = box.child;
    const [doomed = 0] = await workerPids();
    await join();
    const [client] = clients;
    await client?.timeout(60_000).emitWithAck("task", "echo", "x");
    const { cpu } = await box.status();

    starve(pid, 0);
    process.kill(doomed, "SIGKILL");
    process.kill(Number(cpu.pid), "SIGKILL");
    await until("no fork succeeded", () => box.stderr().split("it cannot be forked").length > 2);
    setMaxFds(pid, PLENTY);
    await until("all is as before", async () => (await areReady()) && (await box.status()).cpu.state === "ready");

    expect(box.child.exitCode).toBe(null);
    await join();
  });
});
