// The admin listener: health, readiness, metrics and the dashboard page. It only tells; nothing is controlled over HTTP.
// Whatever is asked of it, and however, it answers with a reply or closes the connection, and the primary goes on.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, isIPv6, type Socket } from "node:net";
import { AllcoresError } from "../errors.ts";
import { Lifecycle } from "../lib/lifecycle.ts";
import { errorFields, type Logger } from "../lib/logger.ts";
import { METRICS_CONTENT_TYPE } from "../metrics/render.ts";
import type { Options } from "../options/options.ts";
import type { BoxStatus } from "../primary/status.ts";
import { isExpectedHost, showsToken } from "./access.ts";
import { readinessOf } from "./health.ts";
import { readPageFiles } from "./page-files.ts";
import { errorReply, jsonReply, type Reply, writeReply } from "./reply.ts";

const MAX_CONNECTIONS = 128;
/** Longest time a request may take to arrive, and longest silence on a connection. */
const REQUEST_TIMEOUT_MS = 5000;
const IDLE_TIMEOUT_MS = 10_000;

const PAGE_FOLDER = new URL("./page/", import.meta.url);

export interface AdminServerOptions {
  readonly options: Options;
  readonly log: Logger;
  /** Asked at every request that shows it. */
  readonly status: () => BoxStatus;
  /** The page for Prometheus. */
  readonly metricsText: () => Promise<string>;
}

type Route = () => Reply | Promise<Reply>;

export class AdminServer extends Lifecycle {
  readonly #options: AdminServerOptions;
  readonly #server: Server;
  readonly #routes: Map<string, Route>;

  constructor(options: AdminServerOptions) {
    super();
    this.#options = options;
    this.#routes = new Map<string, Route>([
      ["/healthz", () => jsonReply(200, { alive: true })],
      ["/readyz", () => this.#readiness()],
      ["/metrics", () => this.#metrics()],
      ["/api/status", () => jsonReply(200, options.status())],
    ]);
    const limits = { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS, maxHeaderSize: 16_384 };
    this.#server = createServer({ ...limits, connectionsCheckingInterval: 1000 }, (req, res) => {
      void this.#answer(req, res);
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.timeout = IDLE_TIMEOUT_MS;
    this.#server.on("upgrade", (_req, socket) => socket.destroy());
    this.#server.on("clientError", (_error, socket) => refuseBadRequest(socket as Socket));
  }

  /** `http://HOST:PORT` of the listener; while it does not listen, where it was told to. */
  get url(): string {
    const { adminHost, adminPort } = this.#options.options;
    const { address = adminHost, port = adminPort } = (this.#server.address() ?? {}) as Partial<AddressInfo>;
    return `http://${isIPv6(address) ? `[${address}]` : address}:${port}`;
  }

  protected override async onStart(): Promise<void> {
    for (const [path, reply] of await readPageFiles(PAGE_FOLDER)) this.#routes.set(path, () => reply);

    const { adminHost: host, adminPort: port } = this.#options.options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error) => reject(listenError(error, host, port)));
      this.#server.listen({ host, port }, resolve);
    });
    // Out of file descriptors, for one: it accepts again when it can.
    this.#server.on("error", (error) => this.#options.log.warn(errorFields(error), "the admin listener has a problem"));
  }

  protected override async onClose(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      writeReply(req, res, await this.#reply(req));
    } catch (error) {
      this.#options.log.error({ ...errorFields(error), url: req.url }, "an admin request failed");
      if (res.headersSent) res.destroy();
      else writeReply(req, res, errorReply(500, "This failed. The log of the box says why."));
    }
  }

  #reply(req: IncomingMessage): Reply | Promise<Reply> {
    const { adminHost, admin } = this.#options.options;
    const { host, authorization } = req.headers;
    if (!isExpectedHost(host, adminHost)) {
      return errorReply(421, "This listener is asked under a loopback name only, as http://localhost.");
    }
    if (req.method !== "GET" && req.method !== "HEAD") {
      return errorReply(405, "Nothing is controlled over HTTP: `allcores --help` lists what can be done.", {
        Allow: "GET, HEAD",
        // A body may be on its way, and nobody wants to read it.
        Connection: "close",
      });
    }

    const [path = ""] = (req.url ?? "").split("?");
    if (path !== "/healthz" && !showsToken(authorization, admin.token)) return unauthorized();
    const route = this.#routes.get(path);
    return route === undefined ? errorReply(404, "There is no such page.") : route();
  }

  #readiness(): Reply {
    const readiness = readinessOf(this.#options.status());
    return readiness.ready ? jsonReply(200, readiness) : jsonReply(503, readiness, { "Retry-After": "1" });
  }

  async #metrics(): Promise<Reply> {
    return { status: 200, type: METRICS_CONTENT_TYPE, body: await this.#options.metricsText() };
  }
}

/** Basic is offered because it is what a browser can ask a person for. */
function unauthorized(): Reply {
  const message =
    "Show the token of the box (admin.token): `Authorization: Bearer TOKEN`, or as password in a browser.";
  return errorReply(401, message, { "WWW-Authenticate": ["Bearer", 'Basic realm="allcores", charset="UTF-8"'] });
}

function refuseBadRequest(socket: Socket): void {
  if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  else socket.destroy();
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): AllcoresError {
  const advice =
    error.code === "EADDRINUSE"
      ? "Another program, or another box, has it: choose another with --admin-port."
      : error.message;
  const message = `The admin listener cannot listen on ${host}:${port}. ${advice}`;
  return new AllcoresError("ALLCORES_ERR_LISTEN", message, { cause: error });
}
