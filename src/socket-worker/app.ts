// The app module: what a user writes, in every form that is accepted, and how it is loaded.

import type { IncomingMessage, ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import type { DefaultEventsMap, Server, ServerOptions } from "socket.io";
import { AllcoresError } from "../errors.ts";
import { type AffinityFunction, importApp } from "../lib/app-module.ts";
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
   * Key that keeps clients together on one worker, so that what they say to each other never crosses processes.
   * Equal keys go to the same worker while it is there and no more than a quarter, or 12 clients, above the mean load; past
   * that, new clients of the key go to its next choice. An empty key or none: the least loaded worker.
   *
   * It is called in the primary for every new connection: keep it short and synchronous. For that the primary imports
   * the app module: **its top level runs there too**, at the start and at every reload. What the module imports is not
   * read from disk anew by a reload, so keep `affinity` whole in the module. What it throws is logged once, and the
   * client goes to the least loaded worker.
   * @example (head) => head.query.get("room")
   */
  readonly affinity?: AffinityFunction;
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
  return toDefinition(await importApp(url), url);
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
