// Builds the Socket.IO server of one worker: Node's http without a port of its own, Socket.IO on top, sticky's half.

import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setupWorker } from "@socket.io/sticky";
import { Server, type ServerOptions } from "socket.io";
import { WebSocketServer } from "ws";
import { errorFields, type Logger } from "../lib/logger.ts";
import { sessionIdGenerator, type WorkerName } from "../lib/session-id.ts";
import type { Options } from "../options/options.ts";
import type { AppDefinition } from "./app.ts";
import { RequestsInFlight } from "./requests-in-flight.ts";

export interface IoServerOptions {
  readonly app: AppDefinition;
  readonly name: WorkerName;
  readonly log: Logger;
  readonly router: Options["router"];
  /** Socket.IO's options, the adapter among them. */
  readonly serverOptions: Partial<ServerOptions>;
  /** The app's http handler threw or rejected. */
  readonly onError: (error: unknown) => void;
}

export interface IoServer {
  readonly io: Server;
  readonly http: HttpServer;
  /** The app's own requests. */
  readonly requests: RequestsInFlight;
  /** From now on connections that the primary hands over are served. */
  readonly takeConnections: () => void;
  /** From now on each answer ends its connection: what a client or a proxy asks next goes to another worker. */
  readonly closeAfterAnswers: () => void;
}

export function createIoServer({ app, name, log, router, serverOptions, onError }: IoServerOptions): IoServer {
  const requests = new RequestsInFlight();
  const { maxHeadBytes: maxHeaderSize, keepAliveTimeoutMs: keepAliveTimeout } = router;
  const http = createServer({ maxHeaderSize, keepAliveTimeout }, (req, res) => {
    requests.add(res);
    answerWithApp(app, req, res, (error) => {
      log.error({ ...errorFields(error), method: req.method }, "the app's http handler failed");
      onError(error);
    });
  });
  // Of more than 2000 Node forgets some, and with them, say, who the client is. The head has a bound.
  http.maxHeadersCount = 0;
  // Connections are injected and never listened for, but only this event starts Node's header and request timeouts.
  http.emit("listening");

  // ws 8.23 bounds the pongs it queues; the version that engine.io brings does not.
  const io = new Server(http, { ...serverOptions, wsEngine: WebSocketServer });
  io.engine.generateId = sessionIdGenerator(name);
  const takeConnections = (): void => {
    // Sticky's half ends each connection with its answer, lest it be used for another session: the relay sees to that.
    http.prependListener("request", (_req, res) => {
      res.removeHeader("Connection");
    });
    setupWorker(io);
  };
  const closeAfterAnswers = (): void => {
    http.closeIdleConnections();
    http.prependListener("request", (_req, res) => {
      res.shouldKeepAlive = false;
    });
    // Of the polls that wait already.
    io.engine.on("headers", (headers: Record<string, string>) => {
      headers.Connection = "close";
    });
  };
  return { io, http, requests, takeConnections, closeAfterAnswers };
}

function answerWithApp(
  app: AppDefinition,
  req: IncomingMessage,
  res: ServerResponse,
  onError: (error: unknown) => void,
): void {
  const fail = (error: unknown): void => {
    onError(error);
    if (res.headersSent) res.destroy();
    else res.writeHead(500, { "Content-Type": "text/plain" }).end("Internal error.\n");
  };
  if (app.http === undefined) {
    res.writeHead(404, { "Content-Type": "text/plain" }).end("Not found.\n");
    return;
  }
  try {
    Promise.resolve(app.http(req, res)).catch(fail);
  } catch (error) {
    fail(error);
  }
}
