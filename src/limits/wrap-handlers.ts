// Containment: an app's listener or middleware that throws or rejects costs its client an error answer, and nobody else
// anything. The wrapping is around the calls, not around the functions, so that `off`, `once`, `listeners` and the rest
// see what the app added.

import { AllcoresError } from "../errors.ts";
import { leavingSockets } from "../lib/leaving-sockets.ts";
import { answerFailure, clientAck } from "./answer-failure.ts";
import { callContained, runMiddlewares } from "./contain.ts";
import { sendError } from "./refusal.ts";
import { guardOf, HANDLER_FAILED } from "./server-guard.ts";
import {
  type EventSource,
  isSocket,
  type NamespaceInternals,
  type Packet,
  type SocketInternals,
  type SocketIoPrototypes,
  wrapMethod,
} from "./socket-io.ts";

type Done = (error?: unknown) => void;

export function wrapHandlers(prototypes: SocketIoPrototypes): void {
  wrapEmitters(prototypes);
  wrapAnyListeners(prototypes);
  wrapMiddlewares(prototypes);
}

function wrapEmitters({ emitter }: SocketIoPrototypes): void {
  // A client's events, and those that another server of the cluster emitted.
  wrapMethod<EventSource, [string, ...unknown[]], boolean>(emitter, "emitUntyped", (emitUntyped) => {
    return function (event, ...args) {
      // What came in one chunk is on its way to the handlers as a whole before the first of them runs.
      if (leavingSockets.size > 0 && leavingSockets.has(this)) return false;
      const guard = guardOf(this.server);
      if (guard === undefined) return emitUntyped.call(this, event, ...args);
      const onFailure = (error: unknown): void => {
        if (isSocket(this)) answerFailure(guard, this, [event, ...args], error);
        else guard.handlerFailed(error, { event });
      };
      return emitContained(this, event, args, onFailure, (work) => {
        if (isSocket(this)) guard.onWork(this, work);
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
  onWork: (work: Promise<unknown>) => void = () => {},
): boolean {
  const listeners = source.rawListeners(event);
  for (const listener of listeners) {
    const work = callContained(listener, source, args, onFailure);
    if (work !== undefined) onWork(work);
  }
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

/** Its connection handler failed: what the app set up for this client is not to be relied on. */
function turnAway(socket: SocketInternals): void {
  sendError(socket, HANDLER_FAILED);
  socket.disconnect();
}

function connectError(): Error {
  const { code, message } = HANDLER_FAILED;
  return Object.assign(new AllcoresError(code, message), { data: { code } });
}
