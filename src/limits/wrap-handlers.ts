// Containment: an app's listener, middleware or callback that throws or rejects costs its client an error answer, and
// nobody else anything. The wrapping is around the calls, not around the functions, so that `off`, `once`, `listeners`
// and the rest see what the app added.

import { Socket } from "socket.io";
import { AllcoresError } from "../errors.ts";
import { callContained, contained, once, runMiddlewares } from "./contain.ts";
import { sendError } from "./refusal.ts";
import { guardOf, HANDLER_FAILED, type ServerGuard } from "./server-guard.ts";
import {
  type Callback,
  type EventSource,
  type NamespaceInternals,
  type Packet,
  type SocketInternals,
  type SocketIoPrototypes,
  wrapMethod,
} from "./socket-io.ts";

/** Acks that a client asked for: an app may have put functions of its own among an event's arguments. */
const clientAcks = new WeakSet<Callback>();

type Done = (error?: unknown) => void;
type Matcher = (name: string, auth: unknown, next: (error: unknown, isAllowed?: boolean) => void) => unknown;

export function wrapHandlers(prototypes: SocketIoPrototypes): void {
  wrapEmitters(prototypes);
  wrapAnyListeners(prototypes);
  wrapMiddlewares(prototypes);
  wrapAckCallbacks(prototypes);
  wrapMatchers(prototypes);
}

function wrapEmitters({ emitter }: SocketIoPrototypes): void {
  // A client's events, and those that another server of the cluster emitted.
  wrapMethod<EventSource, [string, ...unknown[]], boolean>(emitter, "emitUntyped", (emitUntyped) => {
    return function (event, ...args) {
      const guard = guardOf(this.server);
      if (guard === undefined) return emitUntyped.call(this, event, ...args);
      return emitContained(this, event, args, (error) => {
        if (isSocket(this)) answerFailure(guard, this, [event, ...args], error);
        else guard.handlerFailed(error, { event });
      });
    };
  });

  // Socket.IO's own: `connection`, `disconnecting`, `disconnect`, `error`, `new_namespace`.
  wrapMethod<EventSource, [string, ...unknown[]], boolean>(emitter, "emitReserved", (emitReserved) => {
    return function (event, ...args) {
      const guard = guardOf(this.server);
      if (guard === undefined) return emitReserved.call(this, event, ...args);
      return emitContained(this, event, args, (error) => {
        const [first] = args;
        guard.handlerFailed(error, { event });
        if (!isSocket(this) && isSocket(first)) turnAway(first);
      });
    };
  });
}

function emitContained(
  source: EventSource,
  event: string,
  args: readonly unknown[],
  onFailure: (error: unknown) => void,
): boolean {
  const listeners = source.rawListeners(event);
  for (const listener of listeners) callContained(listener, source, args, onFailure);
  return listeners.length > 0;
}

function wrapAnyListeners({ socket }: SocketIoPrototypes): void {
  // The same three steps as Socket.IO's: the ack becomes the last argument, `onAny` listeners, then middlewares and handlers.
  wrapMethod<SocketInternals, [Packet], void>(socket, "onevent", (onevent) => {
    return function (packet) {
      const guard = guardOf(this.server);
      if (guard === undefined) return onevent.call(this, packet);
      const event = packet.data as unknown[];
      if (packet.id !== undefined && packet.id !== null) event.push(clientAck(this, packet.id));
      for (const listener of [...this.listenersAny()]) {
        callContained(listener, this, event, (error) => answerFailure(guard, this, event, error));
      }
      this.dispatch(event);
    };
  });

  wrapMethod<SocketInternals, [Packet], void>(socket, "notifyOutgoingListeners", (notifyOutgoingListeners) => {
    return function (packet) {
      const guard = guardOf(this.server);
      if (guard === undefined) return notifyOutgoingListeners.call(this, packet);
      for (const listener of [...this.listenersAnyOutgoing()]) {
        callContained(listener, this, packet.data as unknown[], (error) => {
          guard.handlerFailed(error, { namespace: this.nsp.name });
        });
      }
    };
  });
}

function wrapMiddlewares({ socket, namespace }: SocketIoPrototypes): void {
  wrapMethod<SocketInternals, [unknown[], Done], void>(socket, "run", (run) => {
    return function (event, done) {
      const guard = guardOf(this.server);
      if (guard === undefined || this.fns.length === 0) return run.call(this, event, done);
      runMiddlewares(this.fns, event, done, (error) => {
        answerFailure(guard, this, event, error);
        return error;
      });
    };
  });

  wrapMethod<NamespaceInternals, [SocketInternals, Done], void>(namespace, "run", (run) => {
    return function (subject, done) {
      const guard = guardOf(this.server);
      if (guard === undefined || this._fns.length === 0) return run.call(this, subject, done);
      runMiddlewares(this._fns, subject, done, (error) => {
        guard.handlerFailed(error, { namespace: this.name });
        return connectError();
      });
    };
  });
}

/** Callbacks that the app gave to `emit`: a client chooses when they run and with what. */
function wrapAckCallbacks({ socket, namespace, broadcast }: SocketIoPrototypes): void {
  wrapMethod<SocketInternals, [number, Callback], void>(socket, "registerAckCallback", (registerAckCallback) => {
    return function (id, callback) {
      const guard = guardOf(this.server);
      if (guard === undefined) return registerAckCallback.call(this, id, callback);
      const onFailure = (error: unknown): void => answerFailure(guard, this, [], error);
      registerAckCallback.call(this, id, contained(callback, onFailure));
    };
  });

  type Broadcast = { readonly adapter?: { readonly nsp: NamespaceInternals } };
  wrapMethod<Broadcast, [string, ...unknown[]], unknown>(broadcast, "emit", (emit) => {
    return function (event, ...args) {
      return emit.call(this, event, ...withContainedCallback(this.adapter?.nsp, event, args));
    };
  });

  wrapMethod<NamespaceInternals, [string, ...unknown[]], unknown>(namespace, "serverSideEmit", (serverSideEmit) => {
    return function (event, ...args) {
      return serverSideEmit.call(this, event, ...withContainedCallback(this, event, args));
    };
  });
}

function withContainedCallback(source: EventSource | undefined, event: string, args: unknown[]): unknown[] {
  const callback = args.at(-1);
  const guard = source === undefined ? undefined : guardOf(source.server);
  if (guard === undefined || typeof callback !== "function") return args;
  const onFailure = (error: unknown): void => guard.handlerFailed(error, { event });
  return [...args.slice(0, -1), contained(callback as Callback, onFailure)];
}

/** The function that an app gives to `io.of()` to decide about a namespace runs with what a client sent. */
function wrapMatchers({ server }: SocketIoPrototypes): void {
  type ServerThis = Parameters<typeof guardOf>[0];
  const containedMatchers = new WeakMap<Matcher, Matcher>();
  wrapMethod<ServerThis, [unknown, ...unknown[]], unknown>(server, "of", (of) => {
    return function (name, ...rest) {
      if (typeof name !== "function" || guardOf(this) === undefined) return of.call(this, name, ...rest);
      const matcher = name as Matcher;
      const wrapped = containedMatchers.get(matcher) ?? containedMatcher(this, matcher);
      containedMatchers.set(matcher, wrapped);
      return of.call(this, wrapped, ...rest);
    };
  });
}

function containedMatcher(server: Parameters<typeof guardOf>[0], matcher: Matcher): Matcher {
  return (name, auth, next) => {
    const answer = once(next);
    callContained(matcher as Callback, undefined, [name, auth, answer], (error) => {
      guardOf(server)?.handlerFailed(error, { namespace: name });
      answer(error, false);
    });
  };
}

/** The client hears of it once: through the ack it asked for, unless the handler has called that already. */
function answerFailure(guard: ServerGuard, socket: SocketInternals, event: readonly unknown[], error: unknown): void {
  const [name] = event;
  guard.handlerFailed(error, { namespace: socket.nsp.name, ...(typeof name === "string" && { event: name }) });
  const ack = event.find((argument): argument is Callback => clientAcks.has(argument as Callback));
  if (ack === undefined) sendError(socket, HANDLER_FAILED, name);
  else ack({ error: HANDLER_FAILED });
}

function clientAck(socket: SocketInternals, id: number): Callback {
  const ack = socket.ack(id);
  clientAcks.add(ack);
  return ack;
}

/** Its connection handler failed: what the app set up for this client is not to be relied on. */
function turnAway(socket: SocketInternals): void {
  sendError(socket, HANDLER_FAILED);
  socket.disconnect();
}

function connectError(): Error {
  const { code, message } = HANDLER_FAILED;
  return Object.assign(new AllcoresError(code, message), { data: { code } });
}

function isSocket(value: unknown): value is SocketInternals {
  return value instanceof Socket;
}
