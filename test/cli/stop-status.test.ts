import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { callBox } from "../../src/primary/control-client.ts";
import type { BoxStatus } from "../../src/primary/status.ts";
import { startBox, type TestBox } from "../helpers/box.ts";
import { runCli } from "../helpers/cli.ts";
import { connectClient } from "../helpers/clients.ts";
import { freePort } from "../helpers/free-port.ts";
import { logged } from "../helpers/logged.ts";

vi.setConfig({ testTimeout: 90_000 });

const cutShort = { status: "rejected", reason: expect.objectContaining({ code: "ALLCORES_ERR_CLOSED" }) };

let runtimeDir: string;
let box: TestBox;
let adminPort: number;

function runVerb(...args: readonly string[]) {
  return runCli([...args, "--admin-port", String(adminPort)], { RUNTIME_DIRECTORY: runtimeDir });
}

async function start(app: string, flags: readonly string[] = []): Promise<TestBox> {
  const allFlags = ["--admin-port", String(adminPort), ...flags];
  return startBox({ app, flags: allFlags, env: { RUNTIME_DIRECTORY: runtimeDir } });
}

async function kill(running: TestBox): Promise<void> {
  running.child.kill("SIGKILL");
  await running.exited;
}

beforeEach(async () => {
  runtimeDir = await mkdtemp(join(tmpdir(), "allcores-cli-"));
  adminPort = await freePort();
});

afterEach(async () => {
  await kill(box);
  await rm(runtimeDir, { recursive: true });
});

describe("with a box that runs", () => {
  beforeEach(async () => {
    box = await start("echo-app.mjs");
  });

  test("`status` shows people where it is, and one line a worker", async () => {
    const { code, out } = await runVerb("status");

    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^clients +${box.url}$`, "m"));
    expect(out).toMatch(new RegExp(`^box +running, pid ${box.child.pid},`, "m"));
    expect(out.match(/^\d +ready +\d+ /gm)).toHaveLength(2);
    expect(out).not.toContain("\u001b");
  });

  test("`status --json` is one object for scripts", async () => {
    const { code, out } = await runVerb("status", "--json");
    const status = JSON.parse(out) as BoxStatus;

    expect(code).toBe(0);
    expect(status).toMatchObject({ pid: box.child.pid, state: "running", url: box.url });
    expect(status.workers.map(({ slot, state, restarts }) => [slot, state, restarts])).toEqual([
      [0, "ready", 0],
      [1, "ready", 0],
    ]);
  });

  test("`stop` drains it, and returns when it is gone", async () => {
    const { socket } = await connectClient(box.url);
    const disconnected = once(socket, "disconnect");

    const { code, out, err } = await runVerb("stop");
    const [reason] = await disconnected;

    expect([code, out, reason]).toEqual([0, "", "transport close"]);
    expect(err).toMatch(/^draining: \d+ connections, \d+ tasks left\n[\s\S]*The box is stopped\.\n$/);
    expect(await box.exited).toBe(0);
  });

  test("a box that has ended leaves no socket behind", async () => {
    const one = await startBox({ app: "counts-and-computes.mjs", env: { RUNTIME_DIRECTORY: runtimeDir } });
    await logged(one, "cpu process is ready");
    const during = await readdir(runtimeDir);

    await one.stop();

    const kindsOf = (names: readonly string[]): unknown[] =>
      names
        .filter((name) => name.includes(`-${one.child.pid}`))
        .map((name) => name.split("-")[0])
        .sort();
    expect(kindsOf(during)).toEqual(["bus", "cpu", "relay"]);
    expect(kindsOf(await readdir(runtimeDir))).toEqual([]);
  });

  test("a second `start` with its admin port is refused with exit code 69, and it goes on", async () => {
    const second = await runVerb("start", "--port", "0");
    const { code } = await runVerb("status");

    expect([second.code, code]).toEqual([69, 0]);
    expect(second.err).toContain("A box is already running");
  });

  test("after SIGKILL `status` finds no box, and a new one takes its place", async () => {
    await kill(box);

    const gone = await runVerb("status");
    box = await start("echo-app.mjs");
    const there = await runVerb("status");

    expect([gone.code, there.code]).toEqual([69, 0]);
    expect(gone.err).toContain("Start one with `allcores start`");
  });
});

describe("with a box that has something in flight", () => {
  beforeEach(async () => {
    box = await start("never-answers.mjs", ["--supervisor-drain-timeout-ms", "600000"]);
    fetch(box.url).catch(() => {});
    await logged(box, "a request waits");
  });

  test("`stop --timeout` stops waiting, with exit code 1, and the box goes on draining", async () => {
    const { code, err } = await runVerb("stop", "--timeout", "0.5");
    const status = await runVerb("status", "--json");

    expect(code).toBe(1);
    expect(err).toContain("took longer than 500 ms. The box goes on draining.");
    expect(JSON.parse(status.out)).toMatchObject({ state: "draining" });
  });

  test("whoever waits for its end is told when a second signal cut the drain short", async () => {
    const options = { adminPort, env: { RUNTIME_DIRECTORY: runtimeDir }, timeoutMs: 20_000, awaitEnd: true };
    const told = Promise.allSettled([callBox("stop", options), callBox("stop", options)]);

    box.child.kill("SIGTERM");
    await logged(box, "the box drains");
    box.child.kill("SIGTERM");
    const [first, second] = await told;

    expect([first, second]).toEqual([cutShort, cutShort]);
    expect(await box.exited).toBe(143);
    expect(box.stderr()).toContain("a second signal ends the box at once");
  });
});
