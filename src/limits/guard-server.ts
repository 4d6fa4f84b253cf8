// Makes a Socket.IO server safe to be open to the world. Well-behaved clients and apps do not notice it.

import type { Server as Engine } from "engine.io";
import type { Server } from "socket.io";
import { createAuthenticator } from "../auth/authenticate.ts";
import { authIsOn } from "../auth/jwt.ts";
import type { Logger } from "../lib/logger.ts";
import type { Options } from "../options/options.ts";
import { guardEngine } from "./guard-engine.ts";
import type { OnRefusal } from "./refusal.ts";
import { guardOf, type OnWork, ServerGuard } from "./server-guard.ts";
import { prototypesOf, type SocketIoPrototypes, wrapMethod } from "./socket-io.ts";
import { wrapCallbacks } from "./wrap-callbacks.ts";
import { wrapClient } from "./wrap-client.ts";
import { wrapHandlers } from "./wrap-handlers.ts";

export interface GuardServerOptions {
  readonly options: Options;
  readonly log: Logger;
  /** Called for every refusal, for counters. @default nothing */
  readonly onRefusal?: OnRefusal;
  /** Called for every event whose handler is async. @default nothing */
  readonly onWork?: OnWork;
}

let areMethodsWrapped = false;

/**
 * Guards every namespace of `io`, those that exist and those to come: authentication, origins, bounds and rate of what
 * clients send, containment of what the app's handlers throw. Call it after `new Server()` and before the app adds
 * anything. Throws `ALLCORES_ERR_SOCKET_IO` when `io` is of a version it does not know.
 */
export function guardServer(io: Server, guarded: GuardServerOptions): void {
  const { options, log, onRefusal = () => {}, onWork = () => {} } = guarded;
  const authenticate = authIsOn(options) ? createAuthenticator(options.auth) : undefined;
  const guard = new ServerGuard({ limits: options.limits, authenticate, log, onRefusal, onWork });
  wrapMethods(prototypesOf(io));
  guard.protect(io);
  if (io.engine !== undefined) guardEngine(io.engine as Engine, guard);
}

function wrapMethods(prototypes: SocketIoPrototypes): void {
  if (areMethodsWrapped) return;
  wrapClient(prototypes);
  wrapHandlers(prototypes);
  wrapCallbacks(prototypes);
  // A server may get its engine later, and another one when it is closed and listens again.
  wrapMethod<Server, [Engine], Server>(prototypes.server, "bind", (bind) => {
    return function (engine) {
      const guard = guardOf(this);
      if (guard !== undefined) guardEngine(engine, guard);
      return bind.call(this, engine);
    };
  });
  areMethodsWrapped = true;
}
