import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Peers } from "../../src/bus/peers.ts";
import { createLogger, type Logger } from "../../src/lib/logger.ts";
import { resolveOptions } from "../../src/options/resolve.ts";
import { CpuSupervisor } from "../../src/primary/cpu-supervisor.ts";
import { CpuBox, type CpuBoxOptions, startCpuBox } from "../helpers/cpu-box.ts";

let boxes: CpuBox[];

beforeEach(() => {
  boxes = [];
});
afterEach(() => Promise.all(boxes.map((box) => box.close())));

async function start(options?: CpuBoxOptions): Promise<CpuBox> {
  const box = await startCpuBox(options);
  boxes.push(box);
  return box;
}

/** Waits for a report of the cpu process after which `isTrue`. */
async function reported(box: CpuBox, isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await once(box.peers, "message");
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

function recordingLog(lines: string[]): Logger {
  const write = (_fields: object, message: string) => void lines.push(message);
  const log: Logger = { error: write, warn: write, info: write, debug: write, child: () => log };
  return log;
}

describe("CpuSupervisor", () => {
  test("has a cpu process that takes tasks, at a socket that only its user can open", async () => {
    const box = await start({ cpu: { threads: 3 } });

    const [socket = ""] = (await readdir(box.folder)).filter((name) => name.startsWith("cpu-"));
    const { mode } = await stat(join(box.folder, socket));

    expect(mode & 0o777).toBe(0o600);
    expect(box.supervisor.status()).toEqual({
      pid: expect.any(Number),
      state: "ready",
      queued: 0,
      running: 0,
      threads: 3,
    });
  });

  test("shows what runs and what waits, and how much memory the process has", async () => {
    const box = await start();
    const cpu = await box.client();
    for (let i = 0; i < 3; i++) cpu.run("spins-forever").catch(() => {});

    await reported(box, () => box.supervisor.status().running > 0);

    expect(box.supervisor.status()).toMatchObject({ running: 1, queued: 2 });
    expect(box.supervisor.memoryBytes).toBeGreaterThan(1e6);
  });

  test("forks again after a crash, tells the workers, and leaves no socket behind", async () => {
    const box = await start();
    const cpu = await box.client();
    const before = box.supervisor.status().pid;

    await box.killCpu();
    const afterCrash = box.supervisor.status().pid;
    const result = await cpu.run("echo", "again");

    expect(result).toBe("again");
    expect(box.supervisor.status().pid).not.toBe(before);
    expect(box.supervisor.restarts).toBe(1);
    expect((await readdir(box.folder)).filter((name) => name.startsWith("cpu-"))).toHaveLength(1);
    expect(afterCrash).not.toBe(box.supervisor.status().pid);
  });

  test("keeps counting tasks where a crashed process stopped", async () => {
    const box = await start();
    const cpu = await box.client();
    await Promise.all([cpu.run("echo"), cpu.run("throws").catch(() => {})]);
    await reported(box, () => box.supervisor.totals().outcomes.failed === 1);

    await box.killCpu();
    await cpu.run("echo");
    await reported(box, () => box.supervisor.totals().outcomes.done === 2);

    const { outcomes, runMs } = box.supervisor.totals();
    expect(outcomes).toMatchObject({ done: 2, failed: 1 });
    expect(runMs.counts.reduce((sum, count) => sum + count)).toBe(3);
  });

  test("replaces a process that hangs", async () => {
    const box = await start({ cpu: { hangTimeoutMs: 2000 } });
    const cpu = await box.client();
    const { pid } = box.supervisor.status();

    process.kill(pid ?? 0, "SIGSTOP");
    const result = await cpu.run("echo", "from the next one");

    expect(result).toBe("from the next one");
    expect(box.supervisor.status().pid).not.toBe(pid);
  });

  test("a drain finishes what was taken, refuses what is new, and ends the process", async () => {
    const box = await start();
    const cpu = await box.client();
    const file = join(box.folder, "go");
    const taken = [cpu.run("waits-for-file", file), cpu.run<Uint8Array>("returns-bytes", 5_000_000)];
    await reported(box, () => box.supervisor.status().queued === 1);

    const drained = box.supervisor.drain(20_000);
    const refused = await cpu.run("echo").catch(({ code }) => code);
    await writeFile(file, "");
    await drained;

    expect(refused).toBe("ALLCORES_ERR_CLOSED");
    expect(await taken[0]).toBe("released");
    expect(await taken[1]).toHaveLength(5_000_000);
    expect(box.supervisor.status()).toMatchObject({ pid: null, state: "gone" });
    expect(box.supervisor.restarts).toBe(0);
  });

  test("is off until it is started, which an app without tasks never asks for", async () => {
    const { options } = resolveOptions({});
    const supervisor = new CpuSupervisor({
      peers: new Peers(),
      options,
      log: createLogger({ level: "silent" }),
      bus: { path: "", secret: "" },
      runtimeDir: "",
      onError: () => {},
    });

    expect(supervisor.status()).toMatchObject({ pid: null, state: "off", running: 0 });
    await supervisor.close();
  });

  test("a drain ends tasks that take too long, with their process", async () => {
    const box = await start();
    const cpu = await box.client();
    const stuck = cpu.run("spins-forever").catch(({ code }) => code);
    await reported(box, () => box.supervisor.status().running === 1);

    await box.supervisor.drain(50);

    expect(await stuck).toBe("ALLCORES_ERR_TASK_CRASHED");
    expect(box.supervisor.status().state).toBe("gone");
  });

  test("close ends the process at once and for good", async () => {
    const box = await start();
    const { pid } = box.supervisor.status();

    await box.supervisor.close();

    expect(() => process.kill(pid ?? 0, 0)).toThrow(expect.objectContaining({ code: "ESRCH" }));
    await expect(box.supervisor.start()).rejects.toMatchObject({ code: "ALLCORES_ERR_CLOSED" });
  });

  test("says why when the first process cannot start", async () => {
    const box = new CpuBox(await mkdtemp(join(tmpdir(), "allcores-cpu-")), {});
    boxes.push(box);

    // Nobody listens at the bus.
    const started = box.supervisor.start();

    await expect(started).rejects.toMatchObject({
      code: "ALLCORES_ERR_CPU_PROCESS",
      message: "The cpu process cannot start: it ended with exit code 1.",
    });
  });

  test("logs what tasks print, but only so much of it, and goes on", async () => {
    const lines: string[] = [];
    const box = await start({ log: recordingLog(lines) });
    const cpu = await box.client();

    const printed = await cpu.run("prints-a-lot", 20_000);
    const next = await cpu.run("echo", "next");

    expect([printed, next]).toEqual([20_000, "next"]);
    expect(lines).toContain("written past the stream");
    expect(lines.filter((line) => line.startsWith("noise")).length).toBeLessThan(1000);
  });

  test("the process does not outlive its primary", async () => {
    const folder = await mkdtemp(join(tmpdir(), "allcores-cpu-"));
    const file = fileURLToPath(new URL("../fixtures/runs-cpu-process.mjs", import.meta.url));
    const primary = spawn(process.execPath, [file, folder], { stdio: ["ignore", "pipe", "inherit"] });
    const [pid] = await once(primary.stdout, "data");

    primary.kill("SIGKILL");
    await once(primary, "exit");
    while (await isAlive(Number(pid))) await new Promise((resolve) => setTimeout(resolve, 10));

    await rm(folder, { recursive: true });
  });
});

/** A process that is dead but not yet reaped counts as dead. */
async function isAlive(pid: number): Promise<boolean> {
  const path = `/proc/${pid}/stat`;
  if (!(await exists(path))) return false;
  const stat = await readFile(path, "utf8").catch(() => ") Z");
  return !stat.includes(") Z");
}
