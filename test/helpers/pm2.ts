// The real PM2, with a daemon of its own that ends with the tests.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const PM2 = fileURLToPath(new URL("../../node_modules/.bin/pm2", import.meta.url));
const POLL_MS = 200;
const MAX_POLLS = 150;

/** What the tests look at in `pm2 jlist`. */
export interface Pm2Process {
  readonly pid: number;
  readonly pm2_env: {
    readonly status: string;
    readonly restart_time: number;
    readonly exit_code?: number;
    readonly axm_monitor: Readonly<Record<string, { readonly value: unknown; readonly unit?: string }>>;
  };
}

export interface Pm2Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Pm2 {
  readonly #home: string;

  private constructor(home: string) {
    this.#home = home;
  }

  /** Starts the daemon: two commands that find none would both start one. */
  static async create(): Promise<Pm2> {
    const pm2 = new Pm2(await mkdtemp(join(tmpdir(), "allcores-pm2-")));
    await pm2.run(["ping"]);
    return pm2;
  }

  /** Runs `pm2 ARGS` to its end. */
  run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Pm2Result> {
    const options = { env: { ...process.env, FORCE_COLOR: "0", PM2_HOME: this.#home, ...env }, timeout: 120_000 };
    return new Promise((resolve) => {
      execFile(PM2, [...args], options, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
      });
    });
  }

  /** The one process PM2 has, or `undefined` while it has none. */
  async process(): Promise<Pm2Process | undefined> {
    const { stdout } = await this.run(["jlist"]);
    const [first] = JSON.parse(stdout.slice(stdout.lastIndexOf("\n[") + 1)) as Pm2Process[];
    return first;
  }

  /** Asks until the process is as wanted: PM2 tells nobody when something changes. */
  async processWhen(isWanted: (found: Pm2Process) => boolean): Promise<Pm2Process> {
    let last: Pm2Process | undefined;
    for (let i = 0; i < MAX_POLLS; i++) {
      last = await this.process();
      if (last !== undefined && isWanted(last)) return last;
      await pause(POLL_MS);
    }
    throw new Error(`PM2's process never was as wanted, last: ${JSON.stringify(last?.pm2_env)}`);
  }

  /** Ends the daemon with all it runs. Rejects, and kills it, when it does not end by itself. */
  async end(): Promise<void> {
    const pid = Number(await readFile(join(this.#home, "pm2.pid"), "utf8"));
    await this.run(["kill"]);
    const isGone = await isTrueSoon(() => !isRunning(pid));
    await rm(this.#home, { recursive: true, force: true });
    if (isGone) return;
    process.kill(pid, "SIGKILL");
    throw new Error(`PM2's daemon ${pid} outlived \`pm2 kill\`.`);
  }
}

async function isTrueSoon(check: () => boolean): Promise<boolean> {
  for (let i = 0; i < MAX_POLLS; i++) {
    if (check()) return true;
    await pause(POLL_MS);
  }
  return false;
}

/** A process that PID 1 has not reaped yet (state Z) is dead all the same. */
function isRunning(pid: number): boolean {
  try {
    const [, state] = /^\d+ \(.*\) (\S)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return state !== "Z";
  } catch {
    return false;
  }
}
