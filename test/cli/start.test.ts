import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { CLI, fixture, startBox, type TestBox } from "../helpers/box.ts";
import { runCli } from "../helpers/cli.ts";
import { connectClient, nextEvent, portOf } from "../helpers/clients.ts";
import { logged } from "../helpers/logged.ts";

vi.setConfig({ testTimeout: 90_000 });

const boxes: TestBox[] = [];

afterEach(async () => {
  for (const box of boxes.splice(0)) {
    box.child.kill("SIGKILL");
    await box.exited;
  }
});

async function start(...args: Parameters<typeof startBox>): Promise<TestBox> {
  const box = await startBox(...args);
  boxes.push(box);
  return box;
}

function spawnStart(...args: readonly string[]) {
  return spawn(process.execPath, [CLI, "start", ...args, "--port", "0", "--admin-port", "0"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
}

describe("allcores start", () => {
  test("the first line on stdout says where the box is, with how many workers, and who is let in", async () => {
    const child = spawnStart(fixture("echo-app.mjs"), "--host", "127.0.0.1", "--workers", "2");
    const [chunk] = await once(child.stdout, "data");
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");

    const [first] = String(chunk).split("\n");
    expect(first).toMatch(
      /^allcores ready on http:\/\/127\.0\.0\.1:\d+ with 2 workers, everybody is let in \(no ALLCORES_AUTH_JWT_SECRET\), admin http/,
    );
    expect(code).toBe(0);
  });

  test("with a secret the first line says that clients need a token", async () => {
    const child = spawnStart(fixture("echo-app.mjs"), "--auth-jwt-secret", "x".repeat(32), "--workers", "1");
    const [chunk] = await once(child.stdout, "data");
    child.kill("SIGTERM");
    await once(child, "exit");

    expect(String(chunk)).toMatch(/^allcores ready on http:\/\/localhost:\d+ with 1 worker, clients need a token,/);
  });

  test.each(["SIGTERM", "SIGINT"] as const)("%s moves the clients away and exits 0", async (signal) => {
    const box = await start({ app: "echo-app.mjs" });
    const { socket } = await connectClient(box.url);

    const gone = nextEvent<string>(socket, "disconnect");
    box.child.kill(signal);
    const [reason, code] = await Promise.all([gone, box.exited]);

    expect([reason, code]).toEqual(["transport close", 0]);
  });

  // A terminal sends SIGINT to all processes of the box, and some of them may still be booting.
  test("Ctrl-C at any moment ends the box with exit code 0", async () => {
    const args = ["start", "--host=127.0.0.1", "--port=0", "--admin-port=0", "--workers=1"];
    const child = spawn(process.execPath, [CLI, ...args], { stdio: ["ignore", "pipe", "pipe"], detached: true });
    await once(child.stdout, "data");

    process.kill(-(child.pid ?? 0), "SIGINT");
    const [err, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);

    expect(code).toBe(0);
    expect(err).not.toContain("allcores: ");
  });

  test.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("a second signal, %s, ends the box at once with exit code %i", async (second, expected) => {
    const box = await start({ app: "never-answers.mjs", flags: ["--supervisor-drain-timeout-ms", "600000"] });
    fetch(box.url).catch(() => {});
    await logged(box, "a request waits");
    box.child.kill("SIGTERM");
    await logged(box, "the box drains");

    box.child.kill(second);
    const code = await box.exited;

    expect(code).toBe(expected);
  });

  // npm passes Ctrl-C on to a child that has got it from the terminal too.
  test("two SIGINT of one key press are one", async () => {
    const box = await start({ app: "echo-app.mjs" });

    box.child.kill("SIGINT");
    await logged(box, "the box drains");
    box.child.kill("SIGINT");
    const code = await box.exited;

    expect(code).toBe(0);
  });

  test("a request in flight gets its answer before the box ends", async () => {
    const box = await start({ app: "answers-while-draining.mjs", workers: 1 });
    await connectClient(box.url);
    const answer = fetch(box.url);
    await logged(box, "a request waits");

    box.child.kill("SIGTERM");
    const body = await (await answer).text();

    expect([body, await box.exited]).toEqual(["late, but whole", 0]);
  });

  test("a signal during boot ends the box, with exit code 0", async () => {
    const child = spawnStart(fixture("never-ready.mjs"), "--workers", "1");
    for await (const chunk of child.stderr) {
      if (String(chunk).includes("the setup has begun")) break;
    }

    child.kill("SIGTERM");
    const [[code], out] = await Promise.all([once(child, "exit"), text(child.stdout)]);

    expect([code, out]).toEqual([0, ""]);
  });

  test("SIGUSR1 does not open the inspector, and SIGHUP reloads", async () => {
    const box = await start({ app: "echo-app.mjs", workers: 1 });

    box.child.kill("SIGUSR1");
    box.child.kill("SIGHUP");
    await logged(box, "the box is reloaded");
    const { socket } = await connectClient(box.url);

    expect(box.stderr()).not.toContain("Debugger listening");
    socket.close();
  });

  test("an app that throws at boot ends the box with the reason in one line", async () => {
    const { code, out, err } = await runCli([
      "start",
      fixture("throws-at-boot.mjs"),
      "--port=0",
      "--admin-port=0",
      "--workers=1",
    ]);

    const last = err.trimEnd().split("\n").at(-1);
    expect([code, out]).toEqual([70, ""]);
    expect(last).toMatch(/^allcores: The app cannot start: .*the database is not there/);
  });

  test("an app that cannot be parsed is told with what shows the line", async () => {
    const folder = await mkdtemp(join(tmpdir(), "allcores-syntax-"));
    const app = join(folder, "app.mjs");
    await writeFile(app, "export default () => { const x = ; };");

    const { code, err } = await runCli(["start", app, "--port=0", "--admin-port=0", "--workers=1"]);

    const last = err.trimEnd().split("\n").at(-1);
    expect(code).toBe(70);
    expect(last).toBe(
      `allcores: The app cannot start: ${app}: Unexpected token ';'. \`node ${app}\` shows where. Tried 3 times.`,
    );
    await rm(folder, { recursive: true });
  });

  test("a port that is taken ends it with exit code 69 and what to do", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const port = portOf(taken.address());

    const args = ["start", fixture("echo-app.mjs"), "--host=127.0.0.1", `--port=${port}`, "--admin-port=0"];
    const { code, err } = await runCli(args);
    taken.close();

    expect(code).toBe(69);
    expect(err).toMatch(new RegExp(`^allcores: Cannot listen on 127\\.0\\.0\\.1:${port}\\..*--port`, "m"));
  });

  test.each([
    [["start", "absent.js"], 64, "There is no app file"],
    [["start", "a.js", "b.js"], 64, '`allcores start` does not take "b.js".'],
    [["start", "--port", "99999"], 78, "--port must be a whole number from 0 to 65535"],
    [["start", "--workers", "0"], 78, "--workers must be a whole number from 1 to 1024"],
  ])("%j is refused with exit code %i before anything is started", async (args, expected, message) => {
    const { code, out, err } = await runCli(args);

    expect([code, out]).toEqual([expected, ""]);
    expect(err).toContain(message);
  });

  test("as a worker of another cluster, as in PM2's cluster mode, it exits 78 with advice", async () => {
    const args = [fixture("cluster-mode.mjs"), CLI, "start", fixture("echo-app.mjs")];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    const [err, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);

    expect(code).toBe(78);
    expect(err).toContain('set `exec_mode: "fork"`');
  });
});

describe("an app in TypeScript", () => {
  const APP = 'export default (io: { on: Function }) => io.on("connection", (s: any) => s.emit("welcome", 1));';

  async function writeApp(): Promise<string> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "allcores-ts-")));
    await writeFile(join(folder, "app.ts"), APP);
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    return folder;
  }

  test("runs where this Node strips types, or is refused with advice and exit code 64", async () => {
    const folder = await writeApp();
    const canRun = (process.features as { typescript?: unknown }).typescript === "strip";

    if (canRun) {
      const box = await start({ app: join(folder, "app.ts"), workers: 1 });
      const { socket, welcome } = await connectClient(box.url);
      socket.close();
      expect(welcome).toBe(1);
    } else {
      const { code, err } = await runCli(["start", join(folder, "app.ts")]);
      expect([code, err]).toEqual([64, expect.stringContaining("npm install tsx")]);
    }
    await rm(folder, { recursive: true });
  });

  test.skipIf("typescript" in process.features)("runs on an older Node with the app's own tsx", async () => {
    const folder = await writeApp();
    await writeTsx(join(folder, "node_modules", "tsx"));

    const box = await start({ app: join(folder, "app.ts"), workers: 1 });
    const { socket, welcome } = await connectClient(box.url);

    expect(welcome).toBe(1);
    socket.close();
    await rm(folder, { recursive: true });
  });

  /** As much of tsx as the app above needs: a loader that takes its types away. */
  async function writeTsx(folder: string): Promise<void> {
    const hook = `export async function load(url, context, next) {
      if (!url.endsWith(".ts")) return next(url, context);
      const { source } = await next(url, { ...context, format: "module" });
      return { format: "module", shortCircuit: true, source: String(source).replace(/: (any|\\{.*?\\})(?=\\))/g, "") };
    }`;
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "package.json"), '{ "name": "tsx", "exports": { ".": "./loader.mjs" } }');
    await writeFile(join(folder, "hook.mjs"), hook);
    await writeFile(
      join(folder, "loader.mjs"),
      'import { register } from "node:module"; register("./hook.mjs", import.meta.url);',
    );
  }
});
