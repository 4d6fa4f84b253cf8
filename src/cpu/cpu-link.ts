// The connection of a socket worker to the cpu process: asks the primary where that is, connects, and starts over
// whenever the connection closes.
//
//   asking --cpuReady--> connecting --> open --close--> asking
//                             ^___cpuReady___/                   a reload: another process takes over
//
// Then the former connection stays until that process has ended its tasks and hangs up.

import { connectBus } from "../bus/connect.ts";
import type { BusConnection, BusConnectionOptions } from "../bus/connection.ts";
import type { CpuReadyMessage } from "../bus/cpu-messages.ts";
import type { BusMessage } from "../bus/messages.ts";
import { errorFields, type Logger } from "../lib/logger.ts";

/** The primary tells by itself when the cpu process is ready again; asking is for a connection that broke alone. */
const ASK_AGAIN_AFTER_MS = 250;

export interface CpuLinkOptions {
  /** Whether there is anything to ask for: an app without tasks makes the box go without a cpu process. */
  readonly isWanted: boolean;
  /** The connection to the primary. */
  readonly bus: Pick<BusConnection, "send">;
  readonly slot: number;
  readonly incarnation: number;
  readonly limits: BusConnectionOptions;
  readonly log: Logger;
  readonly onOpen: () => void;
  readonly onMessage: (message: BusMessage, body: Buffer) => void;
  readonly onClose: (connection: BusConnection) => void;
}

export class CpuLink {
  readonly #options: CpuLinkOptions;
  readonly #open = new Set<BusConnection>();
  #connection: BusConnection | undefined;
  #path: string | undefined;
  #isConnecting = false;
  #isClosed = false;
  #askTimer: NodeJS.Timeout | undefined;

  constructor(options: CpuLinkOptions) {
    this.#options = options;
    if (options.isWanted) this.#ask();
  }

  /** Where new tasks go; `undefined` while there is no cpu process. */
  get connection(): BusConnection | undefined {
    return this.#connection;
  }

  /** The primary's answer. */
  cpuReady(message: CpuReadyMessage): void {
    const isThere = this.#connection !== undefined && this.#path === message.path;
    if (this.#isClosed || this.#isConnecting || isThere) return;
    clearTimeout(this.#askTimer);
    this.#isConnecting = true;
    void this.#connect(message).finally(() => {
      this.#isConnecting = false;
    });
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#askTimer);
    for (const connection of this.#open) connection.destroy();
  }

  #ask(): void {
    this.#options.bus.send({ type: "cpuWanted" });
  }

  #askLater(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#askTimer);
    this.#askTimer = setTimeout(() => this.#ask(), ASK_AGAIN_AFTER_MS);
  }

  async #connect({ path, secret }: CpuReadyMessage): Promise<void> {
    const { slot, incarnation, limits, log, onMessage } = this.#options;
    try {
      const hello = { secret, role: "socket-worker", slot, incarnation } as const;
      const connection = await connectBus({ ...limits, path, hello, onMessage });
      this.#use(connection, path);
    } catch (error) {
      log.debug(errorFields(error), "the cpu process cannot be reached");
      this.#askLater();
    }
  }

  #use(connection: BusConnection, path: string): void {
    if (this.#isClosed || !connection.isOpen) {
      connection.destroy();
      this.#askLater();
      return;
    }
    this.#open.add(connection);
    this.#connection = connection;
    this.#path = path;
    connection.once("close", () => {
      this.#open.delete(connection);
      const wasCurrent = this.#connection === connection;
      if (wasCurrent) this.#connection = undefined;
      this.#options.onClose(connection);
      if (wasCurrent) this.#askLater();
    });
    this.#options.onOpen();
  }
}
