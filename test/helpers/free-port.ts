// A port nobody listens on at this moment, for what cannot be told to take port 0.

import { once } from "node:events";
import { createServer } from "node:net";
import { portOf } from "./clients.ts";

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server.address());
  server.close();
  await once(server, "close");
  return port;
}
