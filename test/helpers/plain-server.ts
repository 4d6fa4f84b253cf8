// A Socket.IO server that knows nothing of allcores: the official Redis adapter, as its documentation sets it up.

import { createAdapter } from "@socket.io/redis-adapter";
import { Emitter } from "@socket.io/redis-emitter";
import { Redis } from "ioredis";
import { Server } from "socket.io";
import { listen, type TestServer } from "./fanout-box.ts";

export async function startPlainServer(redisUrl: string, options: object = {}): Promise<TestServer> {
  const publisher = new Redis(redisUrl);
  const subscriber = publisher.duplicate();
  for (const client of [publisher, subscriber]) client.on("error", () => {});
  const server = await listen(new Server({ adapter: createAdapter(publisher, subscriber, options) }));
  return {
    ...server,
    close: async () => {
      await server.close();
      // The adapter unsubscribes without waiting; cut off in the middle of that, it would reject unhandled.
      await Promise.all([publisher.quit(), subscriber.quit()]);
    },
  };
}

export function createEmitter(redisUrl: string): { emitter: Emitter; close: () => void } {
  const client = new Redis(redisUrl);
  client.on("error", () => {});
  return { emitter: new Emitter(client), close: () => client.disconnect() };
}
