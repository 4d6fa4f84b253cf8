// Containment of callbacks: functions that an app handed over, and whose time a client chooses.

import type { Server } from "socket.io";
import { answerFailure } from "./answer-failure.ts";
import { callContained, contained, once } from "./contain.ts";
import { guardOf } from "./server-guard.ts";
import {
  type Callback,
  type EventSource,
  type NamespaceInternals,
  type SocketInternals,
  type SocketIoPrototypes,
  wrapMethod,
} from "./socket-io.ts";

type Matcher = (name: string, auth: unknown, next: (error: unknown, isAllowed?: boolean) => void) => unknown;

export function wrapCallbacks(prototypes: SocketIoPrototypes): void {
  wrapAckCallbacks(prototypes);
  wrapMatchers(prototypes);
}

/** Those given to `emit`: clients answer when they like, with what they like, or not at all. */
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

/** Those given to `io.of()` to decide which namespaces there are. */
function wrapMatchers({ server }: SocketIoPrototypes): void {
  const containedMatchers = new WeakMap<Matcher, Matcher>();
  wrapMethod<Server, [unknown, ...unknown[]], unknown>(server, "of", (of) => {
    return function (name, ...rest) {
      if (typeof name !== "function" || guardOf(this) === undefined) return of.call(this, name, ...rest);
      const matcher = name as Matcher;
      const wrapped = containedMatchers.get(matcher) ?? containedMatcher(this, matcher);
      containedMatchers.set(matcher, wrapped);
      return of.call(this, wrapped, ...rest);
    };
  });
}

function containedMatcher(server: Server, matcher: Matcher): Matcher {
  return (name, auth, next) => {
    const answer = once(next);
    callContained(matcher as Callback, undefined, [name, auth, answer], (error) => {
      guardOf(server)?.handlerFailed(error, { namespace: name });
      answer(error, false);
    });
  };
}
