// Sends on what comes over a kept connection and is another worker's. So a proxy may keep its connections and use each of
// them for requests of all its clients.
//
// A request goes to its owner by way of the router, and its answer comes back through here. A WebSocket upgrade takes its
// connection along: after it, this worker has no part in it. When nobody has the session any more, the request is
// answered here, as one with an unknown session.

import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Server } from "socket.io";
import { RELAY_HEADER, RELEASE_HEADER, type RerouteMessage, relayValue } from "../bus/relay.ts";
import { stopReading } from "../lib/reading.ts";
import { sessionIdIn } from "../lib/request-target.ts";
import type { WorkerName } from "../lib/session-id.ts";
import { RelayRequests, type RelayWay } from "./relay-request.ts";
import { RequestsElsewhere } from "./requests-elsewhere.ts";
import type { RequestsInFlight } from "./requests-in-flight.ts";

export interface RelayOptions {
  readonly io: Server;
  readonly http: HttpServer;
  readonly name: WorkerName;
  readonly relayPath: string;
  readonly secret: string;
  readonly requests: RequestsInFlight;
  /** Who opened a connection. */
  readonly peerOf: (connection: Socket) => string;
  /** A request on a connection of another worker comes from this peer. */
  readonly tellPeer: (connection: Socket, peer: string) => void;
  /** The connection leaves; its ticket, when nothing else lives on that. */
  readonly giveUpTicket: (connection: Socket) => number | undefined;
}

export class Relay {
  readonly #options: RelayOptions;
  readonly #elsewhere: RequestsElsewhere;
  readonly #outgoing = new RelayRequests();
  /** Connections from other workers. */
  readonly #ofWorkers = new WeakSet<Socket>();
  /** Polls that wait at other workers. */
  readonly #polls = new Map<ServerResponse, () => void>();
  #isDraining = false;

  /** Works from now on. Call it before connections are taken. */
  constructor(options: RelayOptions) {
    this.#options = options;
    this.#elsewhere = new RequestsElsewhere(options.io.path(), options.name);
    const { http } = options;
    const emit = http.emit.bind(http) as (...args: unknown[]) => boolean;
    // Ahead of all listeners, whoever adds them and when: what is another worker's is none of theirs.
    http.emit = ((event: string, ...args: [IncomingMessage, ServerResponse & Socket, Buffer]) => {
      const answerHere = (): boolean => emit(event, ...args);
      if (event === "request") return this.#onRequest(args[0], args[1], answerHere);
      if (event === "upgrade") return this.#onUpgrade(...args) || answerHere();
      return answerHere();
    }) as HttpServer["emit"];
    process.on("message", (message: { type?: unknown; isRelay?: unknown } | null, connection?: Socket) => {
      if (message?.type !== "sticky:connection" || message.isRelay !== true) return;
      if (connection !== undefined) this.#ofWorkers.add(connection);
    });
  }

  /** Lets go of the clients of other workers: their polls are answered, so that they come back another way. */
  drain(): void {
    this.#isDraining = true;
    for (const release of this.#polls.values()) release();
  }

  #onRequest(req: IncomingMessage, res: ServerResponse, answerHere: () => boolean): boolean {
    if (this.#ofWorkers.has(req.socket)) return this.#fromWorker(req, res) || answerHere();
    const owner = this.#elsewhere.ownerOf(req);
    if (owner === undefined) return answerHere();

    const { requests, relayPath: socketPath, secret } = this.#options;
    const pass = relayValue(secret, this.#options.peerOf(req.socket));
    const way: RelayWay = { socketPath, pass, group: owner === "anyone" ? undefined : owner };
    requests.add(res);
    if (req.method === "GET") {
      this.#polls.set(res, () => this.#outgoing.release(req.url, way));
      res.once("close", () => this.#polls.delete(res));
    }
    const onAnswer = (): void => {
      if (this.#isDraining) res.shouldKeepAlive = false;
    };
    this.#outgoing.send({ req, res, ...way, onAnswer, onFailure: answerHere });
    return true;
  }

  /** Takes the note of the worker off a request. Whether the request was nothing but word of that worker, and is done. */
  #fromWorker(req: IncomingMessage, res: ServerResponse): boolean {
    const [, peer = ""] = String(req.headers[RELAY_HEADER]).split(" ");
    dropHeader(req, RELAY_HEADER);
    Object.defineProperty(req.socket, "remoteAddress", { value: peer, configurable: true, enumerable: true });
    this.#options.tellPeer(req.socket, peer);
    if (!(RELEASE_HEADER in req.headers)) return false;
    answerPoll(this.#options.io, sessionIdIn(req.url ?? ""));
    res.end();
    return true;
  }

  /** Whether the connection went away. */
  #onUpgrade(req: IncomingMessage, socket: Socket, head: Buffer): boolean {
    if (this.#elsewhere.ownerOf(req) === undefined || isAnswering(socket)) return false;
    stopReading(socket);
    // Node would tell the server about its connections, which it has never listened for.
    Object.assign(socket, { server: null });
    const ticket = this.#options.giveUpTicket(socket);
    const message: RerouteMessage = {
      type: "allcores:reroute",
      data: Buffer.concat([headOf(req), head]),
      peer: this.#options.peerOf(socket),
      ...(ticket !== undefined && { ticket }),
    };
    process.send?.(message, socket, { keepOpen: false }, (error) => {
      if (error !== null) socket.destroy();
    });
    return true;
  }
}

function dropHeader(req: IncomingMessage, name: string): void {
  delete req.headers[name];
  const at = req.rawHeaders.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === name);
  if (at !== -1) req.rawHeaders.splice(at, 2);
}

/** As Engine.IO itself does when a client changes from polling to WebSocket. */
function answerPoll({ engine }: Server, id = ""): void {
  const { clients } = engine as unknown as { readonly clients: Readonly<Record<string, EngineClient | undefined>> };
  const transport = clients[id]?.transport;
  if (transport?.name === "polling" && transport.writable) transport.send([{ type: "noop" }]);
}

/** Something is still to be written for an earlier request. */
function isAnswering(socket: Socket): boolean {
  const { _httpMessage: answer } = socket as Socket & { readonly _httpMessage?: unknown };
  return (answer ?? null) !== null || socket.writableLength > 0;
}

/** The head as it came. */
function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

interface EngineClient {
  readonly transport: {
    readonly name: string;
    readonly writable: boolean;
    send(packets: readonly { readonly type: string }[]): void;
  };
}
