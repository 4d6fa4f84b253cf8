// Carries the fan-out over plain Redis pub/sub: one connection to publish, one to subscribe, for the whole box.
// At most once: what is published while Redis is away, slow past the byte limit, or while the other end is not
// subscribed, is lost. What is lost on this end is counted.

import { AllcoresError } from "../errors.ts";
import { RedisConnection } from "../redis.ts";
import { BoundedPublisher } from "./bounded-publisher.ts";
import { roomChannel } from "./channels.ts";
import type { FanoutCounters, FanoutDriver, FanoutDriverEvents, FanoutStatus } from "./contract.ts";
import { Envelope } from "./envelope.ts";
import { Subscriptions } from "./subscriptions.ts";

export interface RedisPubSubOptions {
  readonly url: string;
  /** Start of the channel names: `key` of @socket.io/redis-adapter. */
  readonly prefix: string;
  /** Most bytes that Redis has not confirmed. One message more is dropped and counted. */
  readonly maxQueueBytes: number;
  /** The name under which this box speaks. What comes back under it is the box's own and is ignored. */
  readonly serverId: string;
  readonly events: FanoutDriverEvents;
}

export class RedisPubSub implements FanoutDriver {
  readonly #events: FanoutDriverEvents;
  readonly #envelope: Envelope;
  readonly #sending: RedisConnection;
  readonly #receiving: RedisConnection;
  readonly #publisher: BoundedPublisher;
  readonly #subscriptions: Subscriptions;
  #state: FanoutStatus["state"] = "connecting";
  #since = new Date();
  #received = 0;
  #connects = 0;

  constructor({ url, prefix, maxQueueBytes, serverId, events }: RedisPubSubOptions) {
    this.#events = events;
    this.#envelope = new Envelope(serverId);
    this.#sending = new RedisConnection({ url, name: "allcores-publisher" });
    this.#receiving = new RedisConnection({ url, name: "allcores-subscriber" });
    this.#publisher = new BoundedPublisher(this.#sending, maxQueueBytes);
    this.#subscriptions = new Subscriptions({
      connection: this.#receiving,
      prefix,
      serverId,
      events: {
        onBroadcast: (nsp, room, body) => this.#receive(body, () => events.onBroadcast(nsp, room, body)),
        onRequest: (nsp, body) => this.#receive(body, () => events.onRequest(nsp, body)),
        onResponse: events.onResponse,
      },
      onChange: () => this.#update(),
    });
    this.#sending.on("ready", () => this.#update());
    this.#sending.on("down", () => this.#update());
  }

  start(): void {
    this.#sending.connect();
    this.#receiving.connect();
  }

  async flush(): Promise<void> {
    await this.#sending.ping().catch(() => {});
  }

  close(): void {
    this.#subscriptions.close();
    this.#sending.close();
    this.#receiving.close();
  }

  open(nsp: string): void {
    this.#subscriptions.open(nsp);
  }

  leave(nsp: string): void {
    this.#subscriptions.leave(nsp);
  }

  broadcast(nsp: string, room: string | undefined, body: Uint8Array): void {
    this.#publish(roomChannel(this.#subscriptions.get(nsp), room), body);
  }

  tell(nsp: string, body: Uint8Array): void {
    this.#publish(this.#subscriptions.get(nsp).request, body);
  }

  async ask(nsp: string, body: Uint8Array): Promise<number> {
    const { request } = this.#subscriptions.get(nsp);
    // The wait below outlives the tick, and so must the body.
    const kept = Buffer.from(body);
    // Connection handlers ask who is there, and the first connection is what makes a dynamic namespace.
    const underWay = this.#subscriptions.underWay(nsp);
    if (underWay !== undefined) await underWay;
    const outcome = this.#publish(request, kept);
    if (outcome === "full") throw overflowError(this.#publisher.queuedBytes);
    if (this.#state !== "connected") return 0;
    // Asked right behind the request and on its connection, so it counts those who got it. One of them is this box.
    const servers = await this.#sending.countSubscribers(request).catch(() => 0);
    return Math.max(0, servers - 1);
  }

  respond(nsp: string, to: string | undefined, body: Buffer): void {
    const { response, responseTo } = this.#subscriptions.get(nsp);
    this.#publisher.publish(to === undefined ? response : responseTo(to), body.length, () => body);
  }

  status(): FanoutStatus {
    return { state: this.#state, detail: this.#describe() };
  }

  counters(): FanoutCounters {
    const { published, dropped, queuedBytes } = this.#publisher;
    const reconnects = Math.max(0, this.#connects - 1);
    return { published, received: this.#received, dropped, queuedBytes, reconnects };
  }

  #publish(channel: string, body: Uint8Array): "sent" | "away" | "full" {
    return this.#publisher.publish(channel, body.length, () => this.#envelope.seal(body));
  }

  #receive(body: Buffer, pass: () => void): void {
    if (this.#envelope.isOwn(body)) return;
    this.#received++;
    pass();
  }

  #update(): void {
    const next = this.#nextState();
    if (next === this.#state) return;
    this.#state = next;
    this.#since = new Date();
    if (next === "connected") this.#connects++;
    this.#events.onChange(this.status(), this.#lastError);
  }

  #nextState(): FanoutStatus["state"] {
    if (this.#sending.isReady && this.#subscriptions.isComplete) return "connected";
    // On the way back from "down" nothing is worth telling before all of it is there.
    return this.#state === "connecting" && this.#lastError === undefined ? "connecting" : "down";
  }

  get #lastError(): Error | undefined {
    return this.#subscriptions.refusal ?? this.#sending.lastError ?? this.#receiving.lastError;
  }

  #describe(): string {
    const { address } = this.#sending;
    if (this.#state === "connecting") return `Connecting to Redis at ${address}.`;
    if (this.#state === "connected") return `Connected to Redis at ${address} since ${this.#since.toISOString()}.`;
    const reason = this.#lastError?.message ?? `Redis at ${address}: reconnecting.`;
    return `Cut off from other servers since ${this.#since.toISOString()}. ${reason}`;
  }
}

function overflowError(queuedBytes: number): AllcoresError {
  return new AllcoresError(
    "ALLCORES_ERR_FANOUT_OVERFLOW",
    `Redis is too slow: ${queuedBytes} bytes wait for it. Send less, or raise redis.maxQueueBytes.`,
  );
}
