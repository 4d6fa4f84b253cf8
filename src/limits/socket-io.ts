// The inside of Socket.IO 4.8 that the guard builds on, named and checked in one place.
//
// Socket.IO has no hook before a packet is handled, none around a handler, and none before a namespace is looked up.
// So a few of its methods are wrapped on their prototypes: once per process, and without effect on a server that has no
// guard. Listeners, middlewares and options stay exactly what the app made them. A Socket.IO that lacks one of the
// methods is refused at start, so that an update never takes the guard away unseen.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Socket as EngineSocket } from "engine.io";
import { type Namespace, Server, Socket } from "socket.io";
import { AllcoresError } from "../errors.ts";

/** A decoded packet, whichever parser made it: nothing in it has been checked yet. */
export interface Packet {
  readonly type: number;
  readonly nsp: string;
  readonly id?: number | null;
  readonly data?: unknown;
}

export interface SocketInternals extends EventSource {
  /** Its Engine.IO session. */
  readonly conn: object;
  readonly id: string;
  readonly connected: boolean;
  readonly client: ClientInternals;
  readonly nsp: NamespaceInternals;
  readonly acks: ReadonlyMap<number, unknown>;
  readonly fns: readonly Middleware[];
  data: Record<string, unknown>;
  disconnect(): void;
  ack(id: number): (...args: unknown[]) => void;
  dispatch(event: unknown[]): void;
  listenersAny(): readonly Callback[];
  listenersAnyOutgoing(): readonly Callback[];
}

/** One connection; it has a socket in each namespace that its client joined. */
export interface ClientInternals {
  readonly server: Server;
  readonly conn: EngineSocket;
  readonly nsps: ReadonlyMap<string, SocketInternals>;
  readonly sockets: ReadonlyMap<string, SocketInternals>;
  connect(namespace: string, auth?: object): void;
  close(): void;
  onerror(error: unknown): void;
  _packet(packet: Packet): void;
  _parseNamespace(packet: Packet): { readonly namespace: string };
}

export interface NamespaceInternals extends EventSource {
  readonly name: string;
  readonly _fns: readonly Middleware[];
  readonly _preConnectSockets: ReadonlyMap<string, unknown>;
}

/** What a Socket and a Namespace have in common. */
export interface EventSource {
  readonly server: Server;
  rawListeners(event: string | symbol): readonly Callback[];
}

export type Callback = (...args: unknown[]) => unknown;
export type Middleware = (subject: unknown, next: (error?: unknown) => void) => unknown;

export interface SocketIoPrototypes {
  readonly client: ClientInternals;
  readonly socket: Socket;
  readonly namespace: Namespace;
  readonly server: Server;
  /** Of the base class of sockets and namespaces. */
  readonly emitter: object;
  /** Of what `io.to(room)` gives. */
  readonly broadcast: object;
}

/** The prototypes of the Socket.IO that `io` is an instance of. */
export function prototypesOf(io: Server): SocketIoPrototypes {
  if (!(io instanceof Server)) throw unsupported("another copy of socket.io");
  return {
    client: loadClientPrototype(),
    socket: Socket.prototype,
    namespace: Object.getPrototypeOf(io.sockets) as Namespace,
    server: Server.prototype,
    emitter: Object.getPrototypeOf(Socket.prototype) as object,
    broadcast: Object.getPrototypeOf(io.local) as object,
  };
}

export function isSocket(value: unknown): value is SocketInternals {
  return value instanceof Socket;
}

/** Replaces `prototype[name]` with what `wrap` makes of it. */
export function wrapMethod<This, Args extends unknown[], Result>(
  prototype: object,
  name: string,
  wrap: (original: (this: This, ...args: Args) => Result) => (this: This, ...args: Args) => Result,
): void {
  const original: unknown = Reflect.get(prototype, name);
  if (typeof original !== "function") throw unsupported(`no ${prototype.constructor.name}.${name}()`);
  const value = wrap(original as (this: This, ...args: Args) => Result);
  Object.defineProperty(prototype, name, { value, writable: true, configurable: true, enumerable: false });
}

/** `Client` is the one class that the package does not export, though every socket shows it as `socket.client`. */
function loadClientPrototype(): ClientInternals {
  const require = createRequire(import.meta.url);
  const path = join(dirname(require.resolve("socket.io")), "client.js");
  const { Client } = require(path) as { readonly Client?: { readonly prototype: ClientInternals } };
  if (Client === undefined) throw unsupported("no Client");
  return Client.prototype;
}

function unsupported(what: string): AllcoresError {
  return new AllcoresError(
    "ALLCORES_ERR_SOCKET_IO",
    `The installed socket.io cannot be guarded (${what}). Install the version that allcores' package.json names.`,
  );
}
