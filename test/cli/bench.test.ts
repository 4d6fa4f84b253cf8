import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { Server } from "socket.io";
import { describe, expect, test } from "vitest";
import { spawnBaseline } from "../../dist/src/bench/baselines/spawn.js";
import { isAlive } from "../../dist/src/bench/kill-worker.js";
import { SCENARIOS } from "../../dist/src/bench/scenarios.js";
import { TARGETS } from "../../dist/src/bench/targets.js";
import { bench } from "../../dist/src/cli/bench.js";

const CLI = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));
// Whether the load side keeps its schedule on a busy machine is not what these tests are about.
const PATIENT = ["--load-processes", "1", "--max-load-lag", "60000", "--max-load-busy", "100"];
const SMALL = ["--clients", "20", "--rate", "200", "--seconds", "1", "--warmup-seconds", "0", ...PATIENT];

class Lines extends Writable {
  text = "";
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = [new Lines(), new Lines()];
  const code = await bench.run(args, { out, err });
  return { code, out: out.text, err: err.text };
}

describe("allcores bench", () => {
  test("--list names every scenario and every server", async () => {
    const { code, out } = await run("--list");

    expect(code).toBe(0);
    for (const { name, summary } of [...SCENARIOS, ...TARGETS]) {
      expect(out).toMatch(new RegExp(`^  ${name} +${summary.slice(0, 20).replace(/[()+@/]/g, ".")}`, "m"));
    }
  });

  test("NAME --help has every flag of the scenario; --help alone has the list", () => {
    const rooms = bench.helpOf?.(["rooms", "--help"]);

    for (const flag of ["--room-size N", "--placement together|scattered", "--compare LIST", "--json [FILE]"]) {
      expect(rooms).toContain(flag);
    }
    expect(bench.helpOf?.(["--help"])).toBeUndefined();
    expect(bench.help).toContain("Exit codes: 0");
    expect(bench.help).toContain("jitter");
  });

  test("wants a name", async () => {
    await expect(run("--rate", "5")).rejects.toMatchObject({ code: "ALLCORES_ERR_USAGE" });
  });

  test("measures a server, writes what it was asked for, and exits 0 when the thresholds are met", async () => {
    const folder = await mkdtemp(join(tmpdir(), "allcores-bench-"));
    const files = { html: join(folder, "new", "r.html"), svg: join(folder, "r.svg"), markdown: join(folder, "r.md") };
    const outputs = Object.entries(files).flatMap(([name, path]) => [`--${name}`, path]);

    const { code, out, err } = await run(
      "echo",
      "--target",
      "single",
      ...SMALL,
      ...outputs,
      "--json",
      "--no-loss",
      "--max-p99",
      "60000",
      "--min-rate",
      "1",
    );

    expect(code).toBe(0);
    const result = JSON.parse(out);
    expect(result).toMatchObject({
      format: 1,
      name: "echo",
      servers: [{ name: "single", versions: { "socket.io": expect.any(String) } }],
    });
    expect(result.scenarios[0].runs[0].result.counts.delivered).toBe(200);
    expect(err).toContain("echo · single · run 1 of 1");
    expect(await readFile(files.html, "utf8")).toContain("<h1>allcores bench echo</h1>");
    expect(await readFile(files.svg, "utf8")).toContain("Latency by percentile");
    expect(await readFile(files.markdown, "utf8")).toContain("| single |");
    await rm(folder, { recursive: true });
  });

  test("exits 2 when a threshold is missed, and says which", async () => {
    const { code, out, err } = await run("echo", "--target", "ws", ...SMALL, "--min-rate", "1000000");

    expect(code).toBe(2);
    expect(err).toMatch(/MISSED: echo: [\d.]+ delivered\/s, wanted at least 1000000\./);
    expect(out).toContain("echo: figures");
  });

  test("runs against a server that somebody else started, and leaves it running", async () => {
    const server = await spawnBaseline("single", 1);

    const { code, out } = await run("rooms", "--url", server.urls[0] ?? "", ...SMALL, "--no-loss");

    expect(code).toBe(0);
    expect(out).not.toContain("CPU-µs");
    expect((server.pids().socketWorker ?? []).every(isAlive)).toBe(true);
    await server.stop();
  });

  test("refuses an address that is not loopback, unless it is ours", async () => {
    await expect(run("echo", "--url", "http://192.0.2.1:80", ...SMALL)).rejects.toMatchObject({
      code: "ALLCORES_ERR_USAGE",
      message: expect.stringContaining("Give --i-own-this-server"),
    });
  });

  test("a server that loses answers makes the run void: exit 1, or 2 where a threshold was asked for", async () => {
    const { url, close } = await startForgetfulServer();

    const [plain, withThreshold] = await Promise.all([
      run("echo", "--url", url, ...SMALL),
      run("echo", "--url", url, ...SMALL, "--no-loss"),
    ]);

    expect(plain.code).toBe(1);
    expect(plain.out).toMatch(/(void +)+void$/m);
    expect(plain.err).toMatch(/VOID: A run of \S+ is void: \d+ of 200 messages were lost/);
    expect(withThreshold.code).toBe(2);
    expect(withThreshold.err).toMatch(/MISSED: echo: \S+: \d+ lost\./);
    await close();
  });

  test("Ctrl-C ends the run and everything that was started for it", async () => {
    const args = ["rooms", "--target", "official-patched", "--clients", "20", "--seconds", "600"];
    const child = spawn(process.execPath, [CLI, "bench", ...args], { stdio: ["ignore", "ignore", "pipe"] });
    let complaints = "";
    const measuring = new Promise<void>((resolve) => {
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        complaints += text;
        if (complaints.includes(" warmup ")) resolve();
      });
    });
    await measuring;
    const descendants = descendantsOf(child.pid ?? 0);
    expect(descendants.length).toBeGreaterThanOrEqual(5);

    child.kill("SIGINT");
    const [code] = await once(child, "exit");

    expect(code).toBe(1);
    expect(complaints).toContain("Stopped by SIGINT: there is no result.");
    expect(descendants.filter(isAlive)).toEqual([]);
  });
});

/** Answers nine echoes of ten. */
async function startForgetfulServer(): Promise<{ url: string; close: () => Promise<void> }> {
  const httpServer = createServer();
  const io = new Server(httpServer);
  let echoes = 0;
  io.on("connection", (socket) => {
    socket.on("hello", (ack) => ack({ slot: 0 }));
    socket.on("echo", (payload, ack) => {
      if (++echoes % 10 !== 0) ack(payload);
    });
  });
  await once(httpServer.listen(0, "127.0.0.1"), "listening");
  const { port } = httpServer.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => io.close() };
}

function descendantsOf(pid: number): number[] {
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), parentOf(name)] as const);
  const children = parents.filter(([, parent]) => parent === pid).map(([child]) => child);
  return [...children, ...children.flatMap(descendantsOf)];
}

function parentOf(pid: string): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return 0;
  }
}
