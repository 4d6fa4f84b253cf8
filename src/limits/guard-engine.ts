// The guard of Engine.IO: what is decided by a request's head, before there is a connection.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Server as Engine } from "engine.io";
import { callContained, once } from "./contain.ts";
import { isOriginAllowed } from "./origin.ts";
import type { ServerGuard } from "./server-guard.ts";
import type { Callback } from "./socket-io.ts";

/** How long a client has to read the answer to an oversized POST before its connection is destroyed. */
const LAST_WORDS_MS = 1000;

const FORBIDDEN = JSON.stringify({
  code: "ALLCORES_ERR_ORIGIN",
  message: "This origin may not connect. If it should, add it to the option limits.origins.",
});

type AllowRequest = (
  req: IncomingMessage,
  done: (message: string | null | undefined, isAllowed: boolean) => void,
) => void;
type EngineMiddleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

/** The methods are replaced on the engine itself: an engine middleware would see the same requests, but turns WebTransport off. */
export function guardEngine(engine: Engine, guard: ServerGuard): void {
  containAppCode(engine, guard);
  const { handleRequest, handleUpgrade } = engine;

  engine.handleRequest = (req, res) => {
    if (!isWelcome(req, guard)) return forbid(engine, guard, req, () => refuseRequest(res));
    if (req.method === "POST") stopReadingAfterOversize(req, res as ServerResponse, guard);
    callContained(handleRequest as Callback, engine, [req, res], (error) => {
      guard.handlerFailed(error, {});
      if (!res.headersSent) res.writeHead(400);
      res.end();
    });
  };

  engine.handleUpgrade = (req, socket, head) => {
    // Until the handshake is done nobody listens, and a client that resets the connection would end the process.
    socket.on("error", () => {});
    if (!isWelcome(req, guard)) return forbid(engine, guard, req, () => refuseUpgrade(socket));
    callContained(handleUpgrade as Callback, engine, [req, socket, head], (error) => {
      guard.handlerFailed(error, {});
      socket.destroy();
    });
  };
}

/** `allowRequest` and the engine's middlewares run with what a client sent. */
function containAppCode(engine: Engine, guard: ServerGuard): void {
  const { use } = engine;
  engine.use = (middleware: EngineMiddleware) =>
    use.call(engine, (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => {
      const goOn = once(next);
      callContained(middleware as Callback, undefined, [req, res, goOn], (error) => {
        guard.handlerFailed(error, {});
        goOn(error);
      });
    });

  const { allowRequest } = engine.opts;
  if (allowRequest === undefined) return;
  engine.opts.allowRequest = ((req, done) => {
    const answer = once(done);
    callContained(allowRequest as Callback, engine.opts, [req, answer], (error) => {
      guard.handlerFailed(error, {});
      answer("Internal error", false);
    });
  }) satisfies AllowRequest;
}

function isWelcome({ headers, url = "" }: IncomingMessage, { limits }: ServerGuard): boolean {
  if (limits.origins.length === 0) return true;
  const { origin, host } = headers;
  // As Engine.IO reads it, which decodes the names of parameters.
  const query = new URLSearchParams(url.slice(url.indexOf("?") + 1));
  return isOriginAllowed(limits.origins, { origin, host, isScript: query.has("j") });
}

function forbid(engine: Engine, guard: ServerGuard, req: IncomingMessage, answer: () => void): void {
  guard.count("origin", {});
  // As Engine.IO reports a request that `allowRequest` refused.
  engine.emit("connection_error", { req, code: 4, message: "Forbidden", context: { name: "ORIGIN" } });
  answer();
}

function refuseRequest(res: ServerResponse): void {
  res.writeHead(403, { "Content-Type": "application/json", "Content-Length": FORBIDDEN.length, Connection: "close" });
  res.end(FORBIDDEN);
}

function refuseUpgrade(socket: Duplex): void {
  const head = `HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: ${FORBIDDEN.length}`;
  socket.end(`${head}\r\nConnection: close\r\n\r\n${FORBIDDEN}`);
}

/** Engine.IO answers 413 to an oversized POST, and would read the rest of it, however long. */
function stopReadingAfterOversize(req: IncomingMessage, res: ServerResponse, guard: ServerGuard): void {
  res.once("finish", () => {
    if (res.statusCode !== 413) return;
    guard.count("payload", {});
    req.pause();
    setTimeout(() => req.socket.destroy(), LAST_WORDS_MS).unref();
  });
}
