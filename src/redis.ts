// The only importer of ioredis: one connection that reconnects by itself, never waits long and never throws on its own.
//
//   connecting --> ready <--> down        close() from anywhere
//
// Nothing is queued while it is not ready. A command that is not answered in time means that Redis hangs: the
// connection is dropped then, since its queue would grow for as long as somebody goes on sending.

import { EventEmitter } from "node:events";
import { Redis } from "ioredis";
import { AllcoresError, InvalidOptionError, toError } from "./errors.ts";

export interface RedisConnectionOptions {
  /** `redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS. */
  readonly url: string;
  /** Shown by Redis in `CLIENT LIST`. */
  readonly name: string;
  /** How long Redis may take to answer before it counts as hung, in milliseconds. @default 3000 */
  readonly commandTimeoutMs?: number;
  /** How often an idle connection is tried, in milliseconds. @default 5000 */
  readonly heartbeatMs?: number;
}

interface RedisConnectionEvents {
  ready: [];
  /** The connection is lost, or the first attempt failed. Emitted once until it is ready again. */
  down: [error: AllcoresError];
  message: [channel: string, body: Buffer];
  /** A message for a subscribed pattern. */
  patternMessage: [pattern: string, channel: string, body: Buffer];
}

const MIN_RETRY_MS = 50;
const MAX_RETRY_MS = 5000;

export class RedisConnection extends EventEmitter<RedisConnectionEvents> {
  /** `host:port`, without user and password. */
  readonly address: string;
  readonly #client: Redis;
  readonly #heartbeatMs: number;
  #state: "connecting" | "ready" | "down" | "closed" = "connecting";
  #heartbeat: NodeJS.Timeout | undefined;
  #lastError: Error | undefined;

  constructor({ url, name, commandTimeoutMs = 3000, heartbeatMs = 5000 }: RedisConnectionOptions) {
    super();
    this.address = addressOf(url);
    this.#heartbeatMs = heartbeatMs;
    this.#client = new Redis(url, {
      connectionName: name,
      lazyConnect: true,
      connectTimeout: commandTimeoutMs,
      commandTimeout: commandTimeoutMs,
      disconnectTimeout: 100,
      enableOfflineQueue: false,
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      // With 0, a lost connection rejects every command that is waiting on it; by default they would wait for 20 retries.
      maxRetriesPerRequest: 0,
      retryStrategy: retryDelayMs,
    });
    this.#listen();
  }

  get isReady(): boolean {
    return this.#state === "ready";
  }

  /** What went wrong last, until the connection is ready again. */
  get lastError(): AllcoresError | undefined {
    return this.#lastError && this.#wrap(this.#lastError);
  }

  connect(): void {
    // A failure is heard through the events; the promise only says it again.
    this.#client.connect().catch(() => {});
    this.#heartbeat = setInterval(() => this.ping().catch(() => {}), this.#heartbeatMs);
    this.#heartbeat.unref();
  }

  /** Like all commands here, rejects with `ALLCORES_ERR_REDIS`. */
  publish(channel: string, body: Buffer): Promise<unknown> {
    return this.#send(() => this.#client.publish(channel, body));
  }

  /** Resolves to the number of connections subscribed to exactly this channel. */
  async countSubscribers(channel: string): Promise<number> {
    const reply = await this.#send(() => this.#client.pubsub("NUMSUB", channel));
    return Number((reply as unknown[])[1]);
  }

  subscribe(channels: readonly string[]): Promise<unknown> {
    return this.#send(() => this.#client.subscribe(...channels));
  }

  unsubscribe(channels: readonly string[]): Promise<unknown> {
    return this.#send(() => this.#client.unsubscribe(...channels));
  }

  subscribePattern(pattern: string): Promise<unknown> {
    return this.#send(() => this.#client.psubscribe(pattern));
  }

  unsubscribePattern(pattern: string): Promise<unknown> {
    return this.#send(() => this.#client.punsubscribe(pattern));
  }

  /** Resolves when everything sent before was answered. */
  ping(): Promise<unknown> {
    return this.#send(() => this.#client.ping());
  }

  /** Closes for good; what waits for an answer is rejected. */
  close(): void {
    this.#state = "closed";
    clearInterval(this.#heartbeat);
    this.#client.disconnect();
    this.removeAllListeners();
  }

  #listen(): void {
    this.#client.on("ready", () => {
      if (this.#state === "closed") return;
      this.#state = "ready";
      this.#lastError = undefined;
      this.emit("ready");
    });
    this.#client.on("error", (error) => {
      this.#lastError = error;
    });
    this.#client.on("close", () => this.#lose());
    this.#client.on("messageBuffer", (channel, body) => this.emit("message", channel.toString(), body));
    this.#client.on("pmessageBuffer", (pattern, channel, body) =>
      this.emit("patternMessage", pattern, channel.toString(), body),
    );
  }

  #lose(): void {
    if (this.#state === "down" || this.#state === "closed") return;
    this.#state = "down";
    this.#lastError ??= new Error("the connection was closed");
    this.emit("down", this.#wrap(this.#lastError));
  }

  async #send<T>(command: () => Promise<T>): Promise<T> {
    if (!this.isReady) throw this.#wrap(new Error("not connected"));
    try {
      return await command();
    } catch (thrown) {
      const error = toError(thrown);
      if (error.message === "Command timed out") this.#dropHung();
      throw this.#wrap(error);
    }
  }

  #dropHung(): void {
    if (!this.isReady) return;
    this.#lastError = new Error("it does not answer");
    this.#lose();
    this.#client.disconnect(true);
  }

  #wrap(error: Error): AllcoresError {
    // ioredis hangs the command's arguments on its errors, the password of a failed login included.
    delete (error as { command?: unknown }).command;
    const code = error.message === "" ? (error as NodeJS.ErrnoException).code : error.message;
    return new AllcoresError("ALLCORES_ERR_REDIS", `Redis at ${this.address}: ${code}.`, { cause: error });
  }
}

/** Throws `InvalidOptionError` without showing the URL, which may hold a password. */
function addressOf(url: string): string {
  const { protocol, hostname, port } = URL.canParse(url) ? new URL(url) : {};
  if (protocol !== "redis:" && protocol !== "rediss:") {
    throw new InvalidOptionError("redisUrl", "a redis:// or rediss:// URL", "something else");
  }
  return `${hostname || "localhost"}:${port || 6379}`;
}

function retryDelayMs(attempt: number): number {
  const delayMs = Math.min(MIN_RETRY_MS * 2 ** (attempt - 1), MAX_RETRY_MS);
  return delayMs * (0.75 + Math.random() / 2);
}
