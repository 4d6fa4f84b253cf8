// A box in memory: the real hub and real box adapters, between them lines that carry one thing at a time when told to.
// So a test decides who hears what first. Sockets are fakes, as far as the adapter looks at them.

import { EventEmitter } from "node:events";
import type { Namespace } from "socket.io";
import * as parser from "socket.io-parser";
import type { BusConnection } from "../../src/bus/connection.ts";
import type { HubDownMessage, HubUpMessage } from "../../src/bus/hub-messages.ts";
import { formatPosition } from "../../src/bus/position.ts";
import { Hub } from "../../src/hub/hub.ts";
import type { HubWorker } from "../../src/hub/hub-worker.ts";
import { BoxAdapter } from "../../src/socket-worker/box-adapter.ts";
import { BoxBus } from "../../src/socket-worker/box-bus.ts";
import { Delivery } from "../../src/socket-worker/delivery.ts";
import { HubLink } from "../../src/socket-worker/hub-link.ts";

const NAMESPACE = "/";
const NOTHING = Buffer.alloc(0);

/** A message with its body, or a binary frame. */
type Sent<M> = { readonly message: M; readonly body: Buffer } | { readonly frame: Buffer };

export class ModelWorker {
  readonly adapter: BoxAdapter;
  readonly #hub: Hub;
  readonly #worker: HubWorker;
  readonly #up: Sent<HubUpMessage>[] = [];
  readonly #down: Sent<HubDownMessage>[] = [];
  readonly #bus = new EventEmitter();
  readonly #link: HubLink;
  readonly #namespace = {
    name: NAMESPACE,
    sockets: new Map<string, object>(),
    _preConnectSockets: new Map<string, object>(),
    server: { opts: { connectionStateRecovery: {} }, encoder: new parser.Encoder(), _parser: parser },
  };

  constructor(hub: Hub, slot: number) {
    this.#hub = hub;
    const bus = Object.assign(this.#bus, {
      send: (message: HubUpMessage, body = NOTHING) => this.#up.push({ message, body: Buffer.from(body) }),
      sendFrame: (frame: Buffer) => this.#up.push({ frame }),
    });
    this.#worker = hub.addWorker(slot, {
      queuedBytes: 0,
      send: (message, body = NOTHING) => this.#down.push({ message, body: Buffer.from(body) }),
      sendFrame: (frame) => this.#down.push({ frame: Buffer.from(frame) }),
    });
    this.#link = new HubLink(bus as unknown as BusConnection);
    const delivery = new Delivery({ maxClientBytes: 1_000_000, onSlowClient: () => {}, onDirect: () => {} });
    this.adapter = new BoxAdapter(
      this.#namespace as unknown as Namespace,
      new BoxBus(this.#link, delivery, { onRestore: () => {} }),
    );
  }

  /** Carries the next thing to the hub; `false` when there is none. */
  carryUp(): boolean {
    const next = this.#up.shift();
    if (next === undefined) return false;
    if ("frame" in next) this.#hub.onFrame(this.#worker, next.frame[4] ?? 0, next.frame, 0);
    else this.#hub.onMessage(this.#worker, next.message, next.body, 0);
    this.#hub.onBatchEnd(this.#worker);
    return true;
  }

  /** Carries the next thing from the hub; `false` when there is none. */
  carryDown(): boolean {
    const next = this.#down.shift();
    if (next === undefined) return false;
    if ("frame" in next) this.#bus.emit("frame", next.frame[4], next.frame);
    else this.#link.handle(next.message, next.body);
    this.#bus.emit("batchEnd");
    return true;
  }

  /** A new client. */
  connect(id: string): void {
    this.#add(id);
    this.adapter.addAll(id, new Set([id]));
  }

  /** A client that was here or elsewhere wants its session back. */
  async comeBack(id: string): Promise<void> {
    const position = formatPosition({ epoch: this.#hub.epoch, sequence: 0 });
    const session = await this.adapter.restoreSession(`pid-${id}`, position);
    if (session === null) return;
    this.#add(id);
    for (const room of session.rooms) this.adapter.addAll(id, new Set([room]));
  }

  has(id: string): boolean {
    return this.#namespace.sockets.has(id);
  }

  /** Where the worker believes its socket to be. */
  roomsOf(id: string): string[] {
    return [...(this.adapter.sids.get(id) ?? [])].sort();
  }

  #add(id: string): void {
    const { adapter } = this;
    this.#namespace.sockets.set(id, {
      id,
      pid: `pid-${id}`,
      connected: true,
      join: (rooms: string | string[]) => adapter.addAll(id, new Set([rooms].flat())),
      leave: (room: string) => adapter.del(id, room),
      client: {
        close: () => {
          this.#namespace.sockets.delete(id);
          adapter.persistSession({ sid: id as "sid", pid: `pid-${id}` as "pid", rooms: [], data: {} });
          adapter.delAll(id);
        },
      },
      _cleanup: () => {},
    });
  }
}

export class ModelBox {
  readonly hub = new Hub({ maxLogBytes: 1_048_576, windowMs: 1000, maxDetached: 1000, evictionTimeoutMs: 1000 });
  readonly workers: readonly ModelWorker[];

  constructor(workers: number) {
    this.workers = Array.from({ length: workers }, (_, slot) => new ModelWorker(this.hub, slot));
  }

  /** Carries everything to where it goes, and what that sets off, until nothing is on its way. */
  async settle(): Promise<void> {
    let isMoving = true;
    while (isMoving) {
      isMoving = this.workers.some((worker) => worker.carryUp() || worker.carryDown());
      await Promise.resolve();
    }
    // What a promise of the last step sets off.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.workers.some((worker) => worker.carryUp() || worker.carryDown())) await this.settle();
  }

  /** Where the hub believes the client to be: what it would get back elsewhere. */
  async roomsOf(id: string): Promise<string[]> {
    let rooms: readonly string[] = [];
    const probe = this.hub.addWorker(999, {
      queuedBytes: 0,
      send: (message) => {
        if (message.type === "hub:restored" && typeof message.outcome === "object") rooms = message.outcome.rooms;
      },
      sendFrame: () => {},
    });
    const position = formatPosition({ epoch: this.hub.epoch, sequence: 0 });
    const request = { type: "hub:restore", key: 1, namespace: NAMESPACE, pid: `pid-${id}`, position } as const;
    this.hub.onMessage(probe, request, NOTHING, 0);
    await this.settle();
    return [...rooms].sort();
  }
}
