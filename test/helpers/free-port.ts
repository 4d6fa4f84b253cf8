// A port nobody listens on at this moment, for what cannot be told to take port 0, or must come back on its port.

import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** Below those that the kernel gives to outgoing connections: one of a test beside this could take it otherwise. */
const FIRST = 15_000;
const PORTS = 15_000;
const ATTEMPTS = 50;

export async function freePort(): Promise<number> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const port = FIRST + randomInt(PORTS);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
  throw new Error(`None of ${ATTEMPTS} ports was free.`);
}
