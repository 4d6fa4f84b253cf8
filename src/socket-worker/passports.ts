// Reads what the primary sends along with a connection: its ticket, and who opened it. Where nothing is counted and no
// proxy is trusted, nothing is sent along and nothing is done here.

import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Server as Engine } from "engine.io";
import type { Server } from "socket.io";
import type { BusConnection } from "../bus/connection.ts";
import type { BusMessage } from "../bus/messages.ts";
import { type ConnectionRefusal, REFUSAL_ANSWERS, REFUSAL_BYTES } from "../lib/connection-refusal.ts";
import { sessionIdIn } from "../lib/request-target.ts";
import { TrustedProxies } from "../lib/trusted-proxies.ts";
import { hasAdmissionLimits } from "../limits/admission-limits.ts";
import type { Options } from "../options/options.ts";
import { ClientAddresses } from "./client-addresses.ts";
import { Tickets } from "./tickets.ts";

export interface PassportsOptions {
  readonly io: Server;
  readonly http: HttpServer;
  readonly bus: BusConnection;
  readonly options: Options;
}

/** Comes with each connection; an app may use the channel too. */
interface PassportMessage {
  readonly type?: unknown;
  readonly ticket?: number;
  readonly isCounted?: boolean;
  readonly peer?: string;
}

export interface Passports {
  /** Takes messages of the bus. */
  readonly handle: (message: BusMessage) => void;
  /** Who opened a connection. */
  readonly peerOf: (connection: Socket) => string;
  /** The next request on a connection comes from this peer. */
  readonly tellPeer: (connection: Socket, peer: string) => void;
  /** The connection goes to another process; its ticket, if that is free now. */
  readonly giveUpTicket: (connection: Socket) => number | undefined;
}

/** Starts reading. Call it before anything else wraps the engine. */
export function readPassports({ io, http, bus, options }: PassportsOptions): Passports {
  const trusted = new TrustedProxies(options.trustProxy);
  const addresses = trusted.isEmpty ? undefined : new ClientAddresses(trusted);
  const tickets = hasAdmissionLimits(options.limits) ? new Tickets(bus) : undefined;

  addresses?.watch(http);
  if (tickets !== undefined) admitSessions(io.engine as Engine, tickets);
  if (addresses !== undefined || tickets !== undefined) {
    process.on("message", (message: PassportMessage | null, connection?: Socket) => {
      const { type, ticket, isCounted = true, peer } = Object(message) as PassportMessage;
      if (type !== "sticky:connection") return;
      if (peer !== undefined && connection !== undefined) addresses?.tell(connection, peer);
      if (ticket === undefined) return;
      const isShared = connection !== undefined && trusted.has(addresses?.peerOf(connection) ?? "");
      tickets?.take(ticket, connection, { isCounted, isShared });
    });
  }
  if (tickets !== undefined) http.prependListener("request", ({ socket }, res) => tickets.answering(socket, res));
  return {
    handle: (message) => tickets?.handle(message),
    peerOf: (connection) => addresses?.peerOf(connection) ?? connection.remoteAddress ?? "",
    tellPeer: (connection, peer) => addresses?.tell(connection, peer),
    giveUpTicket: (connection) => tickets?.giveUp(connection),
  };
}

function admitSessions(engine: Engine, tickets: Tickets): void {
  const { handleRequest, handleUpgrade } = engine;

  engine.handleRequest = (req, res) => {
    const response = res as ServerResponse;
    const goOn = (): unknown => handleRequest.call(engine, req, res);
    if (!beginsSession(req)) return void goOn();
    tickets.admit(req, addressOf(req), response, (refusal) => {
      if (refusal === undefined) goOn();
      else refuseRequest(response, refusal);
    });
  };

  engine.handleUpgrade = (req, socket, head) => {
    const goOn = (): unknown => handleUpgrade.call(engine, req, socket, head);
    if (!beginsSession(req)) return void goOn();
    tickets.admit(req, addressOf(req), socket, (refusal) => {
      if (refusal === undefined) goOn();
      else refuseUpgrade(socket, refusal);
    });
  };

  engine.on("connection", (client) => tickets.opened(client));
}

/** As Engine.IO sees it. */
function beginsSession({ method, url = "" }: IncomingMessage): boolean {
  return method === "GET" && sessionIdIn(url) === undefined;
}

function addressOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? "";
}

function refuseRequest(response: ServerResponse, refusal: ConnectionRefusal): void {
  const { status, retryAfterSeconds, body } = REFUSAL_ANSWERS[refusal];
  response.writeHead(status, {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
    "Retry-After": retryAfterSeconds,
    Connection: "close",
  });
  response.end(body);
}

function refuseUpgrade(socket: Duplex, refusal: ConnectionRefusal): void {
  socket.end(REFUSAL_BYTES.get(refusal));
}
