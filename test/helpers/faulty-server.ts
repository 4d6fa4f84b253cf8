// A Socket.IO server in the test's process that speaks the bench protocol and does one thing wrong now and then.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type ServerOptions, type Socket } from "socket.io";
import app from "../../dist/src/bench/bench-app.js";

export interface FaultyServer {
  readonly io: Server;
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** How a server passes on a message that was published: `count` goes up with every one. */
export type Relay = (io: Server, socket: Socket, room: string, payload: string, count: number) => void;

export async function startServer(
  setup: (io: Server) => void,
  options: Partial<ServerOptions> = {},
): Promise<FaultyServer> {
  const http = createServer();
  const io = new Server(http, { serveClient: false, ...options });
  setup(io);
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return {
    io,
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    close: () => io.close(),
  };
}

/** The bench app, but with this way to pass messages on. */
export function startRelay(relay: Relay): Promise<FaultyServer> {
  let count = 0;
  return startServer((io) => {
    app.setup(io, { slot: 0 });
    io.on("connection", (socket) => {
      socket.removeAllListeners("publish");
      socket.on("publish", (room: string, payload: string) => relay(io, socket, room, payload, count++));
    });
  });
}
