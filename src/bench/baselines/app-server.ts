// The same app as everybody else's, on a plain Socket.IO server: what all baselines but raw ws serve.

import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type ServerOptions } from "socket.io";
import benchApp from "../bench-app.ts";

export interface AppServer {
  readonly httpServer: HttpServer;
  readonly io: Server;
}

/** `slot` is what the app calls its worker; `options` come on top of the app's own. */
export function createAppServer(slot: number, options: Partial<ServerOptions> = {}): AppServer {
  const httpServer = createServer();
  const io = new Server(httpServer, { ...benchApp.io, ...options });
  benchApp.setup(io, { slot });
  return { httpServer, io };
}

/** Listens on a free port of the loopback address and resolves to its URL. */
export function listen(httpServer: HttpServer): Promise<string> {
  return new Promise((resolve, reject) => {
    httpServer.once("error", reject);
    httpServer.listen(0, "127.0.0.1", () => {
      const { port } = httpServer.address() as AddressInfo;
      resolve(`http://127.0.0.1:${port}`);
    });
  });
}
