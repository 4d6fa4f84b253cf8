// The app module: what a user writes, in every form that is accepted, and how it is loaded.

import type { IncomingMessage, ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import type { DefaultEventsMap, Server, ServerOptions } from "socket.io";
import { AllcoresError, toError } from "../errors.ts";
import type { Box } from "./context.ts";

export interface AppDefinition<
  ClientEvents extends object = DefaultEventsMap,
  ServerEvents extends object = DefaultEventsMap,
  PeerEvents extends object = DefaultEventsMap,
  SocketData = unknown,
> {
  /** Any Socket.IO server option. */
  readonly io?: Partial<ServerOptions>;
  /**
   * The folder of CPU tasks: one file, one default-exported function; the file's name is the task's.
   * @example new URL("./workers/", import.meta.url)
   */
  readonly tasks?: URL | string;
  /** Answers requests that are not Socket.IO's. @default 404 for all of them */
  readonly http?: (req: IncomingMessage, res: ServerResponse) => unknown;
  /** Runs once in each socket worker, before it takes connections: add handlers, middleware, namespaces. May be async. */
  readonly setup: (io: Server<ClientEvents, ServerEvents, PeerEvents, SocketData>, box: Box) => unknown;
}

/** Only adds types: a plain object of the same shape is an app too, and so is a bare `(io, box) => {}`. */
export function defineApp<
  ClientEvents extends object = DefaultEventsMap,
  ServerEvents extends object = DefaultEventsMap,
  PeerEvents extends object = DefaultEventsMap,
  SocketData = unknown,
>(
  app: AppDefinition<ClientEvents, ServerEvents, PeerEvents, SocketData>,
): AppDefinition<ClientEvents, ServerEvents, PeerEvents, SocketData> {
  return app;
}

/** Imports an app module. Rejects with `ALLCORES_ERR_APP`, the original error as its cause. */
export async function loadApp(url: string): Promise<AppDefinition> {
  const module: unknown = await import(url).catch((thrown: unknown) => {
    const error = toError(thrown);
    throw new AllcoresError("ALLCORES_ERR_APP", `${fileURLToPath(url)}: ${error.message}`, { cause: error });
  });
  return toDefinition(defaultExport(module), url);
}

/** A transpiled CommonJS module has its default export one level deeper. */
function defaultExport(module: unknown): unknown {
  const { default: outer } = module as { default?: unknown };
  const { default: inner, __esModule: isTranspiled } = Object(outer) as { default?: unknown; __esModule?: unknown };
  return isTranspiled === true ? inner : outer;
}

function toDefinition(exported: unknown, url: string): AppDefinition {
  if (typeof exported === "function") return { setup: exported as AppDefinition["setup"] };
  const { setup } = Object(exported) as Partial<AppDefinition>;
  if (typeof setup === "function") return exported as AppDefinition;
  throw new AllcoresError(
    "ALLCORES_ERR_APP",
    `${fileURLToPath(url)} is no app: its default export must be a function (io, box) or an object with \`setup\`.`,
  );
}
