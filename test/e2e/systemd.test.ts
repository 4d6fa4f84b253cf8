// The units and what they rely on: checked by systemd's own tools, and run as far as that goes without PID 1.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CLI, fixture, startBox, type TestBox } from "../helpers/box.ts";
import { connectClient } from "../helpers/clients.ts";
import { freePort } from "../helpers/free-port.ts";
import { RecordingSystemdNotify } from "../helpers/recording-systemd-notify.ts";
import { describeWith } from "../helpers/requirements.ts";

const run = promisify(execFile);
const UNITS = ["allcores.service", "allcores.socket"];

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "allcores-systemd-"));
});

afterEach(() => rm(folder, { recursive: true }));

function unitPath(name: string): string {
  return fileURLToPath(new URL(`../../systemd/${name}`, import.meta.url));
}

describeWith("systemd-analyze", "the systemd units", () => {
  // It exits 0 for keys it does not know; only stderr tells.
  test("have nothing that systemd-analyze verify would complain about", async () => {
    for (const name of UNITS) await copyFile(unitPath(name), join(folder, name));

    const { stdout, stderr } = await run("systemd-analyze", ["verify", ...UNITS.map((name) => join(folder, name))]);

    expect([stdout, stderr]).toEqual(["", ""]);
  });

  test("leave the service little it could do harm with", async () => {
    const args = ["security", "--offline=true", "--threshold=20", "--no-pager", unitPath("allcores.service")];

    const { stdout } = await run("systemd-analyze", args);

    expect(stdout).toContain("Overall exposure level for allcores.service: 1.");
  });
});

describe("allcores.service", () => {
  test.each([
    ["Type=notify, which works before systemd 253", /^Type=notify$/m],
    ["messages of systemd-notify, a child, being heard", /^NotifyAccess=all$/m],
    ["SIGTERM for the primary alone", /^KillMode=mixed$/m],
    ["the box living on when one worker runs out of memory", /^OOMPolicy=continue$/m],
    ["no restart after a usage or configuration error", /^RestartPreventExitStatus=64 78$/m],
  ])("has %s", async (_what, line) => {
    expect(await readFile(unitPath("allcores.service"), "utf8")).toMatch(line);
  });

  test.each([
    ["makes V8 abort", /^MemoryDenyWriteExecute=/m],
    ["forbids the cpu process its lower priority", /^SystemCallFilter=~.*@resources/m],
    ["hides what Node reads from /proc", /^ProcSubset=pid/m],
  ])("has nothing that %s", async (_what, line) => {
    expect(await readFile(unitPath("allcores.service"), "utf8")).not.toMatch(line);
  });
});

describeWith("systemd-socket-activate", "a box behind socket activation", () => {
  test("serves on the socket it was given, and its workers know nothing of it", async () => {
    const port = await freePort();
    const child = spawn(
      "systemd-socket-activate",
      [
        `--listen=127.0.0.1:${port}`,
        `--setenv=RUNTIME_DIRECTORY=${folder}`,
        `--setenv=STATE_DIRECTORY=${folder}`,
        ...[process.execPath, CLI, "start", fixture("tells-its-env.mjs"), "--workers=1", "--port=0", "--admin-port=0"],
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    await once(child.stderr, "data");
    const ready = once(child.stdout, "data");

    const { socket, welcome } = await connectClient<string[]>(`http://127.0.0.1:${port}`);
    const [line] = await ready;
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");

    expect(String(line)).toContain(`allcores ready on http://127.0.0.1:${port} `);
    expect(welcome).toEqual([]);
    expect(code).toBe(0);
    socket.close();
  });
});

describe("a box of Type=notify", () => {
  let recorder: RecordingSystemdNotify;
  let box: TestBox;

  beforeEach(async () => {
    recorder = await RecordingSystemdNotify.create();
  });

  afterEach(async () => {
    box.child.kill("SIGKILL");
    await box.exited;
    await recorder.remove();
  });

  test("says that it is ready, pings the watchdog, and says that it stops", async () => {
    const env = { PATH: recorder.path, NOTIFY_SOCKET: "/run/recorded", WATCHDOG_USEC: "400000" };
    box = await startBox({ app: "tells-its-env.mjs", workers: 1, env });
    const { socket, welcome } = await connectClient<string[]>(box.url);
    await recorder.called("WATCHDOG=1", 2);

    await box.stop();

    const calls = recorder.calls();
    const head = `/run/recorded --pid=${box.child.pid}`;
    expect(calls[0]).toBe(`${head} --ready --status=${box.url}, 1 of 1 workers ready, 0 connections`);
    expect(calls[1]).toMatch(new RegExp(`^${head} WATCHDOG=1 --status=.*, 1 of 1 workers ready, \\d connections$`));
    expect(calls.at(-1)).toBe(`${head} STOPPING=1 --status=draining`);
    expect(welcome).toEqual([]);
    socket.close();
  });

  test("without a working systemd-notify it serves all the same, and says so once", async () => {
    box = await startBox({
      app: "tells-its-env.mjs",
      workers: 1,
      env: { PATH: folder, NOTIFY_SOCKET: "/run/recorded", WATCHDOG_USEC: "50000" },
    });
    const { socket } = await connectClient(box.url);

    const code = await box.stop();

    expect(code).toBe(0);
    expect(box.stderr().match(/does systemd-notify work here/g)).toHaveLength(1);
    socket.close();
  });
});
