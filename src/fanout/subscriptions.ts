// Keeps the subscriptions of one connection equal to the namespaces of the box, over reconnects and refusals.

import { toError } from "../errors.ts";
import type { RedisConnection } from "../redis.ts";
import { channelsOf, type NamespaceChannels, roomOf } from "./channels.ts";
import type { FanoutDriverEvents } from "./contract.ts";

export interface SubscriptionsOptions {
  readonly connection: RedisConnection;
  /** Start of the channel names. */
  readonly prefix: string;
  readonly serverId: string;
  readonly events: Pick<FanoutDriverEvents, "onBroadcast" | "onRequest" | "onResponse">;
  /** `isComplete` may have changed. */
  readonly onChange: () => void;
}

/** After a refused subscription (a missing permission, say) it is tried again this often. */
const RETRY_MS = 5000;

export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #namespaces = new Map<string, NamespaceChannels>();
  readonly #nspByPattern = new Map<string, string>();
  readonly #routes = new Map<string, (body: Buffer) => void>();
  readonly #underWay = new Map<string, Promise<void>>();
  #isComplete = false;
  #refusal: Error | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
    const { connection } = options;
    connection.on("ready", () => void this.#subscribeAll());
    connection.on("down", () => this.#set(false, undefined));
    connection.on("message", (channel, body) => this.#routes.get(channel)?.(body));
    connection.on("patternMessage", (pattern, channel, body) => this.#onBroadcast(pattern, channel, body));
  }

  /** Whether everything that is published now is heard here. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Why Redis refused a subscription, until it accepts them all. */
  get refusal(): Error | undefined {
    return this.#refusal;
  }

  get(nsp: string): NamespaceChannels {
    return this.#namespaces.get(nsp) ?? channelsOf(this.#options.prefix, nsp);
  }

  open(nsp: string): void {
    const { events, serverId } = this.#options;
    const channels = channelsOf(this.#options.prefix, nsp);
    const onResponse = (body: Buffer): void => events.onResponse(nsp, body);
    this.#namespaces.set(nsp, channels);
    this.#nspByPattern.set(channels.broadcastPattern, nsp);
    this.#routes.set(channels.request, (body) => events.onRequest(nsp, body));
    this.#routes.set(channels.response, onResponse);
    this.#routes.set(channels.responseTo(serverId), onResponse);
    if (!this.#options.connection.isReady) return;
    const subscribed = this.#subscribe(channels)
      .catch((error: unknown) => this.#refused(error))
      .finally(() => this.#underWay.delete(nsp));
    this.#underWay.set(nsp, subscribed);
  }

  /** What to wait for before answers can be heard in a namespace that is new; never rejects. */
  underWay(nsp: string): Promise<void> | undefined {
    return this.#underWay.get(nsp);
  }

  leave(nsp: string): void {
    const channels = this.#namespaces.get(nsp);
    if (channels === undefined) return;
    const exact = exactChannels(channels, this.#options.serverId);
    this.#namespaces.delete(nsp);
    this.#nspByPattern.delete(channels.broadcastPattern);
    for (const channel of exact) this.#routes.delete(channel);
    // When it fails, messages of the namespace arrive and are ignored until the next reconnect.
    this.#options.connection.unsubscribePattern(channels.broadcastPattern).catch(() => {});
    this.#options.connection.unsubscribe(exact).catch(() => {});
  }

  close(): void {
    clearTimeout(this.#retry);
  }

  async #subscribeAll(): Promise<void> {
    try {
      await Promise.all([...this.#namespaces.values()].map((channels) => this.#subscribe(channels)));
      this.#set(true, undefined);
    } catch (error) {
      this.#refused(error);
    }
  }

  async #subscribe(channels: NamespaceChannels): Promise<void> {
    const { connection, serverId } = this.#options;
    await Promise.all([
      connection.subscribePattern(channels.broadcastPattern),
      connection.subscribe(exactChannels(channels, serverId)),
    ]);
  }

  #refused(thrown: unknown): void {
    // A connection that is lost subscribes again by itself when it is back.
    if (!this.#options.connection.isReady) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (this.#options.connection.isReady) void this.#subscribeAll();
    }, RETRY_MS);
    this.#set(false, toError(thrown));
  }

  #set(isComplete: boolean, refusal: Error | undefined): void {
    this.#isComplete = isComplete;
    this.#refusal = refusal;
    this.#options.onChange();
  }

  #onBroadcast(pattern: string, channel: string, body: Buffer): void {
    const nsp = this.#nspByPattern.get(pattern);
    if (nsp !== undefined) this.#options.events.onBroadcast(nsp, roomOf(this.get(nsp), channel), body);
  }
}

function exactChannels({ request, response, responseTo }: NamespaceChannels, serverId: string): string[] {
  return [request, response, responseTo(serverId)];
}
