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

/** Listens on this port of the loopback address, 0 being any free one, and resolves to its URL. */
export function listen(httpServer: HttpServer, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    httpServer.once("error", reject);
    httpServer.listen(port, "127.0.0.1", () => {
      resolve(`http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`);
    });
  });
}
