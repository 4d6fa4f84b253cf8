// The calling end of the bus.

import { createConnection } from "node:net";
import { AllcoresError } from "../errors.ts";
import { withDeadline } from "../lib/deadline.ts";
import { BUILD } from "./build.ts";
import { BusConnection, type BusConnectionOptions } from "./connection.ts";
import { type BusMessage, fromWireError, type HelloMessage } from "./messages.ts";

export interface ConnectOptions extends BusConnectionOptions {
  readonly path: string;
  readonly hello: Omit<HelloMessage, "type" | "build">;
  /** Gets every message after the welcome; listeners added later would miss those of the same chunk. */
  readonly onMessage: (message: BusMessage, body: Buffer) => void;
  /** How long connecting and being let in may take, in milliseconds. @default 10_000 */
  readonly timeoutMs?: number;
}

/**
 * Opens a connection and waits until the other end lets it in.
 * Rejects with `ALLCORES_ERR_BUS_REFUSED`, `ALLCORES_ERR_BUS_CLOSED` or `ALLCORES_ERR_DEADLINE`.
 */
export async function connectBus(options: ConnectOptions): Promise<BusConnection> {
  const connection = new BusConnection(createConnection(options.path), options);
  const welcomed = new Promise<void>((resolve, reject) => {
    connection.once("close", (error) => reject(error ?? closedEarly()));
    connection.once("message", (message) => {
      if (message.type === "welcome") {
        connection.on("message", options.onMessage);
        resolve();
      }
      if (message.type === "refused") reject(fromWireError(message.error));
    });
  });
  connection.send({ type: "hello", build: BUILD, ...options.hello });

  try {
    await withDeadline(welcomed, options.timeoutMs ?? 10_000, "Connecting to the bus");
  } catch (error) {
    connection.destroy();
    throw error;
  }
  return connection;
}

function closedEarly(): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_BUS_CLOSED", "The bus closed the connection before letting it in.");
}
