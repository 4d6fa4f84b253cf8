// Workers that speak through a local Redis of their own: @socket.io/redis-adapter and its sharded variant, set up as
// their documentation has it for ioredis. The sticky half has its handle bug worked around: it is not what is compared.

import { Redis } from "ioredis";
import { AllcoresError } from "../../errors.ts";
import { REDIS_SERVER } from "../versions.ts";
import { createAppServer } from "./app-server.ts";
import type { Baseline, RunningBaseline, StartRequest } from "./baseline.ts";
import { startLocalRedis } from "./local-redis.ts";
import { HANDLE_FIX, ownSlot, STICKY_SETTINGS, serveSticky, startSticky } from "./sticky.ts";

/** Environment variable with the port of Redis, for the workers. */
const PORT_VARIABLE = "ALLCORES_BENCH_REDIS_PORT";

type AdapterPackage = typeof import("@socket.io/redis-adapter");

export const redis: Baseline = {
  name: "redis",
  summary: "@socket.io/sticky and @socket.io/redis-adapter on a local Redis",
  packages: ["socket.io", "@socket.io/sticky", "@socket.io/redis-adapter", "ioredis", REDIS_SERVER],
  settings: [...STICKY_SETTINGS, HANDLE_FIX, 'Redis: --save "" --appendonly no'],
  usesWorkers: true,
  ordersRooms: false,
  replacesWorkers: true,
  takesPort: true,
  start: startWithRedis,
  runWorker: () => runWorker((adapters, publisher, subscriber) => adapters.createAdapter(publisher, subscriber)),
};

export const sharded: Baseline = {
  ...redis,
  name: "sharded",
  summary: "@socket.io/sticky and the sharded variant of @socket.io/redis-adapter on a local Redis",
  settings: [...redis.settings, 'subscriptionMode: "dynamic"'],
  runWorker: () => runWorker((adapters, publisher, subscriber) => adapters.createShardedAdapter(publisher, subscriber)),
};

async function startWithRedis(request: StartRequest): Promise<RunningBaseline> {
  await importAdapters();
  const server = await startLocalRedis();
  process.env[PORT_VARIABLE] = String(server.port);
  const withRedis = { redis: [server.pid] };
  try {
    const running = await startSticky({
      ...request,
      worksAroundHandleBug: true,
      onPids: (pids) => request.onPids({ ...pids, ...withRedis }),
    });
    return {
      urls: running.urls,
      pids: { ...running.pids, ...withRedis },
      close: () => running.close().finally(server.stop),
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function runWorker(
  createAdapter: (
    adapters: AdapterPackage,
    publisher: Redis,
    subscriber: Redis,
  ) => ReturnType<AdapterPackage["createAdapter"]> | ReturnType<AdapterPackage["createShardedAdapter"]>,
): Promise<void> {
  const adapters = await importAdapters();
  const publisher = new Redis(Number(process.env[PORT_VARIABLE]), "127.0.0.1");
  const subscriber = publisher.duplicate();
  const { io } = createAppServer(ownSlot(), { adapter: createAdapter(adapters, publisher, subscriber) });
  serveSticky(io);
}

/** The package is not a dependency of allcores: only those who compare need it. */
async function importAdapters(): Promise<AdapterPackage> {
  try {
    return await import("@socket.io/redis-adapter");
  } catch (cause) {
    throw new AllcoresError(
      "ALLCORES_ERR_BENCH",
      "This baseline needs a package that is not installed: npm install @socket.io/redis-adapter",
      { cause },
    );
  }
}
