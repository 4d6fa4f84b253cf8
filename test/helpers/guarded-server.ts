// A real Socket.IO server behind the guard, on a free port of this process, with what it refused and logged.

import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type ServerOptions } from "socket.io";
import { io as connect, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import { WebSocketServer } from "ws";
import type { Logger } from "../../src/lib/logger.ts";
import { guardServer } from "../../src/limits/guard-server.ts";
import type { RefusalReason } from "../../src/limits/refusal.ts";
import { guardedServerOptions } from "../../src/limits/server-options.ts";
import { resolveOptions } from "../../src/options/resolve.ts";

export interface GuardedServer {
  readonly io: Server;
  readonly http: HttpServer;
  readonly url: string;
  readonly port: number;
  /** How often something was refused, by reason. */
  readonly refused: ReadonlyMap<RefusalReason, number>;
  /** Messages of the errors that were logged. */
  readonly logged: readonly string[];
  /** A stock client, disconnected when the server closes. */
  readonly client: (options?: Partial<ManagerOptions & SocketOptions>, namespace?: string) => Socket;
  readonly close: () => Promise<void>;
}

export interface GuardedServerSettings {
  /** The configuration file's content: names of the options table. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The app's Socket.IO options. */
  readonly io?: Partial<ServerOptions>;
  /** Runs after the guard, as an app's setup does. */
  readonly setup?: (io: Server) => void;
}

export async function startGuardedServer(settings: GuardedServerSettings = {}): Promise<GuardedServer> {
  const { config = {}, setup = () => {} } = settings;
  const { options } = resolveOptions({ file: config });
  const http = createServer();
  const io = new Server(http, { ...guardedServerOptions(settings.io ?? {}, options), wsEngine: WebSocketServer });
  const refused = new Map<RefusalReason, number>();
  const logged: string[] = [];
  const onRefusal = (reason: RefusalReason): void => void refused.set(reason, (refused.get(reason) ?? 0) + 1);
  guardServer(io, { options, log: recordingLogger(logged), onRefusal });
  setup(io);

  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const clients: Socket[] = [];
  return {
    io,
    http,
    url,
    port,
    refused,
    logged,
    client: (clientOptions = {}, namespace = "/") => {
      const client = connect(url + namespace, { forceNew: true, reconnection: false, ...clientOptions });
      clients.push(client);
      return client;
    },
    close: async () => {
      for (const client of clients) client.disconnect();
      http.closeAllConnections();
      await io.close();
    },
  };
}

/** The arguments of the next `event` of a socket. */
export function nextEvent<T extends unknown[] = [unknown]>(
  emitter: { once(event: string, listener: (...args: never[]) => void): unknown },
  event: string,
): Promise<T> {
  return new Promise((resolve) => emitter.once(event, (...args: unknown[]) => resolve(args as T)));
}

function recordingLogger(lines: string[]): Logger {
  const silent = (): void => {};
  const log: Logger = {
    error: (fields, message) => {
      const { err } = fields as { err?: { message?: string } };
      lines.push(`${message}: ${err?.message}`);
    },
    warn: (_fields, message) => void lines.push(message),
    info: silent,
    debug: silent,
    child: () => log,
  };
  return log;
}
