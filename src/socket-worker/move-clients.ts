// Moves clients away in paced batches: their transports are closed, and they come back to another worker by themselves.
// (One that is told `disconnect` would not.) What is queued for a client is written before.

import { setTimeout as delay } from "node:timers/promises";

/** An Engine.IO session, as far as it is needed here. */
export interface EngineClient {
  readonly readyState: string;
  readonly transport: {
    readonly name: string;
    readonly readyState: string;
    /** Of long-polling: how long a close waits for a poll that it can be the answer to, in milliseconds. */
    closeTimeout?: number;
    close(): void;
  };
  readonly writeBuffer: readonly unknown[];
  once(event: "drain" | "close", listener: () => void): void;
  close(discard?: boolean): void;
}

export interface MoveClientsOptions {
  /** Those that are here now: one may arrive by a connection that was there before. */
  readonly clients: () => readonly EngineClient[];
  /** Such a client is moved later, when it is not busy any more. */
  readonly isBusy: (client: EngineClient) => boolean;
  readonly batchSize: number;
  readonly windowMs: number;
  /** After this, all that are left are moved at once, busy or not. */
  readonly deadlineMs: number;
}

/** The next poll of a client that is there comes within a round trip. When the box stops, the port is closed to it. */
const POLL_WAIT_MS = 2000;

/** With a window of 0: how often busy clients are looked at. */
const MIN_WINDOW_MS = 20;

/** Resolves when every client is gone. */
export async function moveClients(options: MoveClientsOptions): Promise<void> {
  const { clients, isBusy, batchSize } = options;
  const windowMs = Math.max(options.windowMs, MIN_WINDOW_MS);
  const endsAt = performance.now() + options.deadlineMs;
  const moved = new Set<EngineClient>();

  while (clients().length > 0) {
    const leftMs = endsAt - performance.now();
    const staying = clients().filter((client) => !moved.has(client));
    const movable = leftMs > 0 ? staying.filter((client) => !isBusy(client)) : staying;
    const size = batchSizeOf({ clients: staying.length, batchSize, windowMs, leftMs });
    for (const client of movable.slice(0, size)) {
      moved.add(client);
      const move = (): void => {
        // It has asked something since it was chosen: its turn comes again.
        if (leftMs > 0 && isBusy(client)) moved.delete(client);
        else closeTransport(client);
      };
      setTimeout(move, leftMs > 0 ? Math.random() * options.windowMs : 0);
    }
    await delay(windowMs);
  }
}

interface BatchQuestion {
  readonly clients: number;
  readonly batchSize: number;
  readonly windowMs: number;
  readonly leftMs: number;
}

/** How many clients to move in the next window: `batchSize`, or as many as it takes to be through in time. */
export function batchSizeOf({ clients, batchSize, windowMs, leftMs }: BatchQuestion): number {
  const windowsLeft = Math.max(1, Math.floor(leftMs / windowMs));
  return Math.max(batchSize, Math.ceil(clients / windowsLeft));
}

function closeTransport(client: EngineClient): void {
  if (client.readyState !== "open") return;
  if (client.transport.name !== "websocket") closePolling(client);
  else if (client.writeBuffer.length === 0) client.transport.close();
  else client.once("drain", () => closeTransport(client));
}

/** Engine.IO would wait for the next poll for half a minute, and for what is queued without end. */
function closePolling(client: EngineClient): void {
  client.transport.closeTimeout = POLL_WAIT_MS;
  client.close();
  const timer = setTimeout(() => client.close(true), POLL_WAIT_MS);
  client.once("close", () => clearTimeout(timer));
}
