// The primary's half of the fan-out: what the workers of this box and the other servers have to say to each other.
// It knows which workers have which namespace and who waits for which answer; messages pass through unread.

import { randomBytes } from "node:crypto";
import type { FanoutMessage } from "../bus/fanout-messages.ts";
import type { BusMessage } from "../bus/messages.ts";
import type { Peer, Peers } from "../bus/peers.ts";
import { settledWithin } from "../lib/deadline.ts";
import { Lifecycle } from "../lib/lifecycle.ts";
import { errorFields, type Logger } from "../lib/logger.ts";
import type { Options } from "../options/options.ts";
import { sendBounded } from "./bounded-send.ts";
import type { FanoutCounters, FanoutDriver, FanoutStatus } from "./contract.ts";
import { type Order, orderBroadcast, orderMove } from "./hub-order.ts";
import { Questions } from "./questions.ts";
import { RedisPubSub } from "./redis-pubsub.ts";
import { Relays } from "./relays.ts";
import { decodeRequest } from "./wire-format.ts";

export interface FanoutOptions {
  readonly peers: Peers;
  readonly options: Pick<Options, "redisUrl" | "redis">;
  readonly log: Logger;
  /** The box's hub. Without it, each worker is told as it comes. */
  readonly order?: Order | undefined;
}

export class Fanout extends Lifecycle {
  readonly #peers: Peers;
  readonly #log: Logger;
  readonly #order: Order | undefined;
  readonly #driver: FanoutDriver;
  readonly #relays: Relays;
  readonly #questions = new Questions();
  readonly #workersByNsp = new Map<string, Set<Peer>>();
  /** Lost between the workers and here; what is lost on the way to Redis is counted there. */
  #dropped = 0;

  /** Throws `ALLCORES_ERR_INVALID_OPTION` for a URL that is none. A Redis that is away is no error. */
  constructor({ peers, options: { redisUrl, redis }, log, order }: FanoutOptions) {
    super();
    this.#peers = peers;
    this.#log = log;
    this.#order = order;
    this.#driver = new RedisPubSub({
      url: redisUrl,
      prefix: redis.prefix,
      maxQueueBytes: redis.maxQueueBytes,
      serverId: `box-${randomBytes(8).toString("hex")}`,
      events: {
        onBroadcast: (nsp, room, body) => this.#deliver(nsp, room, body),
        onRequest: (nsp, body) => this.#relay(nsp, body),
        onResponse: (_nsp, body) => this.#questions.onResponse(body),
        onChange: (status, error) => this.#logChange(status, error),
      },
    });
    this.#relays = new Relays({
      respond: (nsp, { uid }, response) => this.#driver.respond(nsp, uid, Buffer.from(response)),
      onDropped: () => this.#dropped++,
    });
  }

  status(): FanoutStatus {
    return this.#driver.status();
  }

  counters(): FanoutCounters {
    const counters = this.#driver.counters();
    return { ...counters, dropped: counters.dropped + this.#dropped };
  }

  protected override async onStart(): Promise<void> {
    this.#peers.on("message", this.#onMessage);
    this.#peers.on("leave", this.#onLeave);
    this.#driver.start();
  }

  protected override async onDrain(deadlineMs: number): Promise<void> {
    await settledWithin(this.#driver.flush(), deadlineMs);
  }

  protected override async onClose(): Promise<void> {
    this.#peers.off("message", this.#onMessage);
    this.#peers.off("leave", this.#onLeave);
    this.#relays.close();
    this.#questions.close();
    this.#driver.close();
  }

  readonly #onMessage = (worker: Peer, message: BusMessage, body: Buffer): void => {
    const driver = this.#driver;
    switch (message.type) {
      case "fanoutOpen":
        this.#open(worker, message.nsp);
        break;
      case "fanoutClose":
        this.#leave(worker, message.nsp);
        break;
      case "fanoutPublish":
        driver.broadcast(message.nsp, message.room, body);
        break;
      case "fanoutTell":
        driver.tell(message.nsp, body);
        break;
      case "fanoutAsk":
        this.#questions.begin(worker, message, () => driver.ask(message.nsp, body));
        break;
      case "fanoutAnswer":
        this.#relays.answer(message.relayId, worker, body.toString());
        break;
      case "fanoutRespond":
        driver.respond(message.nsp, message.to, Buffer.from(body));
        break;
      case "fanoutLost":
        this.#dropped += message.count;
    }
  };

  readonly #onLeave = (worker: Peer): void => {
    for (const nsp of [...this.#workersByNsp.keys()]) this.#leave(worker, nsp);
    this.#relays.leave(worker);
    this.#questions.leave(worker);
  };

  #open(worker: Peer, nsp: string): void {
    const workers = this.#workersByNsp.get(nsp);
    if (workers !== undefined) {
      workers.add(worker);
      return;
    }
    this.#workersByNsp.set(nsp, new Set([worker]));
    this.#driver.open(nsp);
  }

  #leave(worker: Peer, nsp: string): void {
    const workers = this.#workersByNsp.get(nsp);
    if (workers?.delete(worker) !== true || workers.size > 0) return;
    this.#workersByNsp.delete(nsp);
    this.#driver.leave(nsp);
  }

  #deliver(nsp: string, room: string | undefined, body: Buffer): void {
    if (this.#order !== undefined && orderBroadcast(this.#order, nsp, body)) return;
    this.#sendToAll(nsp, { type: "fanoutBroadcast", nsp, ...(room !== undefined && { room }) }, body);
  }

  #relay(nsp: string, body: Buffer): void {
    const request = decodeRequest(body, nsp);
    const workers = this.#workersByNsp.get(nsp);
    if (request === undefined || workers === undefined) return;
    if (request.requestId === undefined) {
      if (this.#order !== undefined && orderMove(this.#order, nsp, request)) return;
      this.#sendToAll(nsp, { type: "fanoutRequest", nsp }, body);
      return;
    }
    const relayId = this.#relays.begin(nsp, request, workers);
    if (relayId !== undefined) this.#sendToAll(nsp, { type: "fanoutRequest", nsp, relayId }, body);
  }

  #sendToAll(nsp: string, message: FanoutMessage, body: Buffer): void {
    for (const { connection } of this.#workersByNsp.get(nsp) ?? []) {
      if (!sendBounded(connection, message, body)) this.#dropped++;
    }
  }

  #logChange({ state, detail }: FanoutStatus, error: Error | undefined): void {
    if (state === "down") this.#log.warn(error === undefined ? {} : errorFields(error), detail);
    else this.#log.info({}, detail);
  }
}
