// Chooses how the workers' Socket.IO servers speak with each other, as the option `bus` says, and with other boxes.

import { NodeClusterAdapter } from "@socket.io/cluster-adapter";
import type { Namespace, ServerOptions } from "socket.io";
import type { ClusterAdapter } from "socket.io-adapter";
import type { BusConnection } from "../bus/connection.ts";
import type { BusMessage } from "../bus/messages.ts";
import type { Logger } from "../lib/logger.ts";
import type { Options } from "../options/options.ts";
import type { DiffWay } from "../presence/diff-way.ts";
import { type BoxIoOptions, createBoxIo } from "./box-io.ts";
import { createFanoutAdapter } from "./fanout-adapter.ts";

export interface ChooseAdapterOptions {
  readonly bus: BusConnection;
  readonly options: Options;
  readonly log: Logger;
  readonly onSlowClient: BoxIoOptions["onSlowClient"];
  readonly onDirect: BoxIoOptions["onDirect"];
  readonly onRestore: BoxIoOptions["onRestore"];
}

export interface ChosenAdapter {
  /** The app's Socket.IO options with the adapter in them. */
  readonly apply: (app: Partial<ServerOptions>) => Partial<ServerOptions>;
  /** Takes what comes over the bus. */
  readonly handle: (message: BusMessage, body: Buffer) => void;
  /** Resolves when all that this worker has to say to others has been taken, as far as the adapter knows. */
  readonly settle: () => Promise<void>;
  /** How presence tells sockets, where the adapter has a say in it. */
  readonly diffWay: DiffWay | undefined;
}

type AdapterClass = new (nsp: Namespace) => ClusterAdapter;

export function chooseAdapter(choose: ChooseAdapterOptions): ChosenAdapter {
  const { bus, options, log } = choose;
  const handlers: ChosenAdapter["handle"][] = [];
  let base: AdapterClass = NodeClusterAdapter;
  let diffWay: DiffWay | undefined;
  let settle: ChosenAdapter["settle"] = () => Promise.resolve();
  if (options.bus === "box") {
    const box = createBoxIo({ ...choose, maxClientBytes: options.recovery.maxClientBytes });
    base = box.Adapter;
    diffWay = box.diffWay;
    settle = box.settle;
    handlers.push(box.handle);
  }

  const { adapter, handle } = options.redisUrl === "" ? { adapter: base } : createFanoutAdapter({ bus, log, base });
  if (handle !== undefined) handlers.push(handle);
  return {
    apply: (app) => ({ ...(options.bus === "box" ? withRecovery(app, options) : withoutRecovery(app, log)), adapter }),
    settle,
    diffWay,
    handle: (message, body) => {
      for (const take of handlers) take(message, body);
    },
  } as ChosenAdapter;
}

/** The hub's window counts, and middleware always runs again: a client that was let in once may have been revoked. */
function withRecovery(app: Partial<ServerOptions>, { recovery }: Options): Partial<ServerOptions> {
  const { connectionStateRecovery: asked, ...rest } = app;
  if (asked === undefined) return rest;
  const maxDisconnectionDuration = Math.min(asked.maxDisconnectionDuration ?? recovery.windowMs, recovery.windowMs);
  return { ...rest, connectionStateRecovery: { maxDisconnectionDuration, skipMiddlewares: false } };
}

/** The official cluster adapter cannot recover, and left on, recovery makes it append `""` to every event. */
function withoutRecovery(app: Partial<ServerOptions>, log: Logger): Partial<ServerOptions> {
  const { connectionStateRecovery: asked, ...rest } = app;
  if (asked !== undefined) {
    log.warn({}, 'connectionStateRecovery is off: the bus "ipc" cannot do it. Clients that return start afresh.');
  }
  return rest;
}
