// A redis-server of the test's own, on a port of its own, that can be killed, stopped and started again.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { Redis } from "ioredis";
import { until } from "./until.ts";

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** How many connections are subscribed to exactly this channel. */
  countSubscribers(channel: string): Promise<number>;
  /** Waits until `count` connections are. */
  untilSubscribed(channel: string, count: number): Promise<void>;
  clientNames(): Promise<string[]>;
  /** `ACL SETUSER` with these rules. */
  acl(user: string, ...rules: string[]): Promise<void>;
  kill(): Promise<void>;
  /** Starts again after a kill, on the same port. */
  restart(): Promise<void>;
  /** SIGSTOP: it keeps its connections and answers nothing. */
  freeze(): void;
  thaw(): void;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** `args` are further arguments for redis-server, e.g. `["--requirepass", "x"]`. */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  const port = await freePort();
  let child = await spawnRedis(port, args);
  let control = connect(port, args);

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    countSubscribers: (channel) => numSub(control, channel),
    untilSubscribed: (channel, count) =>
      until(`${count} are subscribed to ${channel}`, async () => (await numSub(control, channel)) === count),
    clientNames: async () => {
      const list = (await control.client("LIST")) as string;
      return [...list.matchAll(/ name=(\S+)/g)].map(([, name]) => String(name));
    },
    acl: async (user, ...rules) => {
      await control.acl("SETUSER", user, ...rules);
    },
    kill: async () => {
      control.disconnect();
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
    restart: async () => {
      child = await spawnRedis(port, args);
      control = connect(port, args);
    },
    freeze: () => child.kill("SIGSTOP"),
    thaw: () => child.kill("SIGCONT"),
  };
}

async function spawnRedis(port: number, args: readonly string[]): Promise<ChildProcess> {
  const own = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"];
  const child = spawn("redis-server", [...own, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const chunk of child.stdout) {
    if (String(chunk).includes("Ready to accept connections")) break;
  }
  return child;
}

function connect(port: number, args: readonly string[]): Redis {
  const password = args[args.indexOf("--requirepass") + 1];
  const client = new Redis({
    port,
    host: "127.0.0.1",
    ...(args.includes("--requirepass") && password && { password }),
  });
  client.on("error", () => {});
  return client;
}

async function numSub(client: Redis, channel: string): Promise<number> {
  const [, count] = (await client.pubsub("NUMSUB", channel)) as [string, number];
  return Number(count);
}
