// nginx, HAProxy or Caddy in front of a box, with a configuration of test/fixtures/proxies/, on a free port.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixture } from "./box.ts";
import { openSocket } from "./clients.ts";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

export interface ProxyProgram {
  readonly command: string;
  /** File name in test/fixtures/proxies/. */
  readonly config: string;
  readonly args: (configPath: string, workDir: string) => readonly string[];
}

export const NGINX: ProxyProgram = {
  command: "nginx",
  config: "nginx.conf",
  args: (configPath, workDir) => ["-p", workDir, "-e", "stderr", "-c", configPath],
};

export const HAPROXY: ProxyProgram = {
  command: "haproxy",
  config: "haproxy.cfg",
  args: (configPath) => ["-db", "-f", configPath],
};

export const CADDY: ProxyProgram = {
  command: "caddy",
  config: "Caddyfile",
  args: (configPath) => ["run", "--adapter", "caddyfile", "--config", configPath],
};

export interface RunningProxy {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** Starts the proxy and waits until its port answers. */
export async function startProxyProgram(
  { command, config, args }: ProxyProgram,
  boxUrl: string,
): Promise<RunningProxy> {
  const workDir = await mkdtemp(join(tmpdir(), "allcores-proxy-"));
  // Started by root, nginx keeps long bodies in it as another user.
  await chmod(workDir, 0o755);
  const listen = `127.0.0.1:${await freePort()}`;
  const template = await readFile(fixture(join("proxies", config)), "utf8");
  const filled = { "@WORK@": workDir, "@LISTEN@": listen, "@BOX@": new URL(boxUrl).host };
  const text = Object.entries(filled).reduce((all, [name, value]) => all.replaceAll(name, value), template);
  const configPath = join(workDir, config);
  await writeFile(configPath, text);

  const child = spawn(command, args(configPath, workDir), {
    stdio: ["ignore", "ignore", "pipe"],
    // Caddy keeps files in its user's home.
    env: { ...process.env, XDG_DATA_HOME: workDir, XDG_CONFIG_HOME: workDir },
  });
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said = `${said}${chunk}`.slice(-4000);
  });
  const stop = (): Promise<void> => stopProxy(child, workDir);
  try {
    await until(`${command} listens`, () => isListening(child, `http://${listen}`, said));
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://${listen}`, stop };
}

async function isListening(child: ChildProcess, url: string, said: string): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`The proxy ended with exit code ${child.exitCode}:\n${said}`);
  const socket = await openSocket(url).catch(() => undefined);
  socket?.destroy();
  return socket !== undefined;
}

async function stopProxy(child: ChildProcess, workDir: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  await rm(workDir, { recursive: true, force: true });
}
