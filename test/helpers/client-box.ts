// A box in memory with clients: the real hub, and in each worker a real Socket.IO server over the box's adapter. The bus
// between them carries things when told to; connections are fakes, whose packets wait on the wire until they are read.
// What goes up is noted in a ledger, which knows by that who has to hear what.

import { EventEmitter } from "node:events";
import { Server, Socket } from "socket.io";
import type { BusConnection } from "../../src/bus/connection.ts";
import { sequenceOf } from "../../src/bus/hub-frames.ts";
import type { HubDownMessage, HubUpMessage } from "../../src/bus/hub-messages.ts";
import { parsePosition } from "../../src/bus/position.ts";
import { Hub } from "../../src/hub/hub.ts";
import type { HubState } from "../../src/hub/hub-state.ts";
import type { HubWorker } from "../../src/hub/hub-worker.ts";
import { encodeState, StateReader } from "../../src/hub/state-codec.ts";
import { decodeFrames } from "../../src/lib/ws-frames.ts";
import { createBoxIo } from "../../src/socket-worker/box-io.ts";
import { Ledger, Life, type Saying } from "./ledger.ts";

const NOTHING = Buffer.alloc(0);
const RECOVERY = { connectionStateRecovery: { skipMiddlewares: false } };
const LONG_WAIT_TICKS = 4;
/** No history lasts so long. */
const HUB_OPTIONS = { windowMs: 1e9, maxDetached: 1000, evictionTimeoutMs: 1000 };
/** What box-io patches. It does so for all workers of a process, of which there is one outside of tests. */
const PATCHED = ["packet", "_onpacket", "disconnect"] as const;

/** A message with its body, or a binary frame. */
type Sent<M> = { readonly message: M; readonly body: Buffer } | { readonly frame: Buffer };

/** How something is said: to be kept for those who return or not, past this worker or not, with an ack wanted. */
export type Tone = "kept" | "volatile" | "local" | "asking";

/**
 * How a connection takes what it is given; one that wavers has something queued every other time,
 * and the client of one that is refused does not get past the middleware.
 */
export type Way = "websocket" | "polling" | "wavering" | "refused";

export class BoxWorker {
  readonly io: Server;
  readonly slot: number;
  isAlive = true;
  readonly #box: ClientBox;
  readonly #worker: HubWorker;
  readonly #up: Sent<HubUpMessage>[] = [];
  readonly #down: Sent<HubDownMessage>[] = [];
  readonly #bus = new EventEmitter();
  readonly #handle: ReturnType<typeof createBoxIo>["handle"];
  readonly #asked = new Map<number, { readonly pid: string; readonly position: string }>();

  constructor(box: ClientBox, slot: number) {
    this.#box = box;
    this.slot = slot;
    const bus = Object.assign(this.#bus, {
      send: (message: HubUpMessage, body = NOTHING) => this.#up.push({ message, body: Buffer.from(body) }),
      sendFrame: (frame: Buffer) => this.#up.push({ frame: Buffer.from(frame) }),
    });
    this.#worker = box.hub.addWorker(slot, {
      queuedBytes: 0,
      send: (message, body = NOTHING) => {
        this.#note(message);
        this.#down.push({ message, body: Buffer.from(body) });
      },
      sendFrame: (frame) => this.#down.push({ frame: Buffer.from(frame) }),
    });
    const prototype = Socket.prototype as unknown as Record<(typeof PATCHED)[number], unknown>;
    const originals = PATCHED.map((name) => [name, prototype[name]] as const);
    const { Adapter, handle } = createBoxIo({
      bus: bus as unknown as BusConnection,
      maxClientBytes: 1_000_000,
      onSlowClient: () => {},
      onDirect: () => {},
      onRestore: () => {},
    });
    const patches = PATCHED.map((name) => [name, prototype[name]] as const);
    Object.assign(prototype, Object.fromEntries(originals));
    this.#handle = handle;
    this.io = new Server({ adapter: Adapter as never, ...(box.canRecover && RECOVERY) });
    const namespace = this.io.sockets as unknown as { _createSocket(...args: unknown[]): Promise<Socket> };
    const createSocket = namespace._createSocket.bind(namespace);
    namespace._createSocket = async (...args) =>
      Object.assign(await createSocket(...args), Object.fromEntries(patches));
    this.io.use(async ({ conn }, next) => {
      const { way, number } = conn as unknown as ModelConnection;
      // Some wait longer than others, so that one that came later may be in earlier.
      const ticks = number % 3 === 1 ? LONG_WAIT_TICKS : 1;
      if (box.hasSlowDoor) for (let i = 0; i < ticks; i++) await tick();
      next(way === "refused" ? new Error("not you") : undefined);
    });
    this.io.on("connection", (socket) => box.onConnection(this, socket));
    while (this.carryUp(1) || this.carryDown(1));
  }

  /** Carries the next things to the hub, as one chunk; `false` when there is none. */
  carryUp(count: number): boolean {
    const chunk = this.#up.splice(0, count);
    for (const sent of chunk) this.#carryUp(sent);
    if (chunk.length > 0) this.#box.hub.onBatchEnd(this.#worker);
    return chunk.length > 0;
  }

  /** Carries the next things from the hub, as one chunk; `false` when there is none. */
  carryDown(count: number): boolean {
    const chunk = this.#down.splice(0, count);
    for (const sent of chunk) {
      if ("frame" in sent) this.#bus.emit("frame", sent.frame[4], sent.frame);
      else this.#handle(sent.message, sent.body);
    }
    if (chunk.length > 0) this.#bus.emit("batchEnd");
    return chunk.length > 0;
  }

  /** Dies without a word: of what it had to say, what is on its way already may still come. */
  kill(carriesRest: boolean): void {
    const { hub, ledger, now } = this.#box;
    if (carriesRest) while (this.carryUp(1));
    this.#up.length = 0;
    this.#down.length = 0;
    this.isAlive = false;
    ledger.gone(this);
    hub.removeWorker(this.#worker, now);
    // Nothing more comes of it, but its timers are to end.
    for (const connection of this.#box.connectionsOf(this)) connection.lose();
  }

  connectionsBefore(): number {
    return this.#box.connections;
  }

  /** The socket of a connection, once it is let in. */
  socketOf(connection: ModelConnection): Socket | undefined {
    return [...this.io.sockets.sockets.values()].find(({ conn }) => (conn as unknown) === connection);
  }

  #carryUp(sent: Sent<HubUpMessage>): void {
    const { hub, ledger, now } = this.#box;
    const { sequence } = hub.stats();
    if ("frame" in sent) {
      hub.onFrame(this.#worker, sent.frame[4] ?? 0, sent.frame, now);
      const [, number] = /\["m",(\d+)/.exec(sent.frame.toString("latin1", 0, 500)) ?? [];
      ledger.placed(Number(number), sequenceOf(sent.frame));
      return;
    }
    const { message, body } = sent;
    if (message.type === "hub:restore") this.#asked.set(message.key, message);
    ledger.onUp(this, message, sequence);
    hub.onMessage(this.#worker, message, body, now);
  }

  /** What the hub says of a session has to be what the ledger says. */
  #note(message: HubDownMessage): void {
    if (message.type === "hub:evict") this.#box.ledger.onEvict(this, message.key);
    if (message.type !== "hub:restored") return;
    const { pid = "", position = "" } = this.#asked.get(message.key) ?? {};
    const { outcome, key } = message;
    this.#box.ledger.onRestored(this, key, pid, parsePosition(position)?.sequence, outcome);
  }
}

/** An Engine.IO session, as far as anybody looks at it. */
export class ModelConnection extends EventEmitter {
  readonly worker: BoxWorker;
  readonly id = "";
  readonly protocol = 4;
  readonly upgrading = false;
  readonly request = { headers: {}, connection: {} };
  readonly transport: object;
  /** What the client has not read yet. */
  readonly wire: string[] = [];
  readyState = "open";
  readonly way: Way;
  /** How many there were before. */
  readonly number: number;
  #looks = 0;

  constructor(worker: BoxWorker, way: Way) {
    super();
    this.number = worker.connectionsBefore();
    this.way = way;
    this.worker = worker;
    const tcp = {
      destroyed: false,
      writableLength: 0,
      write: (frames: Buffer) => this.wire.push(...decodeFrames(frames).map((text) => text.slice(1) as string)),
    };
    const socket = { readyState: 1, _socket: tcp, _sender: { _state: 0, _queue: [] } };
    this.transport = { name: way === "polling" ? "polling" : "websocket", writable: true, socket };
    worker.io.onconnection(this as never);
  }

  get writeBuffer(): { readonly length: number } {
    this.#looks++;
    return { length: this.way === "wavering" ? this.#looks % 2 : 0 };
  }

  write(packet: string): void {
    if (this.readyState === "open") this.wire.push(packet);
  }

  close(): void {
    this.readyState = "closed";
  }

  /** The worker sees that the connection is lost. */
  lose(): void {
    if (this.readyState !== "open") return;
    this.readyState = "closed";
    this.emit("close", "transport close");
  }
}

/** A stock client, as far as recovery goes, that keeps what it hears. */
export class ModelClient {
  readonly lives: Life[] = [];
  connection: ModelConnection | undefined;
  readonly #ledger: Ledger;
  #isIn = false;
  #pid: string | undefined;
  #offset: string | undefined;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  get life(): Life | undefined {
    return this.lives.at(-1);
  }

  get isThere(): boolean {
    return this.connection?.readyState === "open";
  }

  /** Comes, or comes back, and reads no more of a connection it has already. */
  connect(worker: BoxWorker, way: Way, lost = 0): ModelConnection {
    this.drop(lost);
    const connection = new ModelConnection(worker, way);
    this.connection = connection;
    const auth = this.#pid === undefined ? "" : JSON.stringify({ pid: this.#pid, offset: this.#offset });
    connection.emit("data", `0${auth}`);
    return connection;
  }

  /** Reads all but the last packets on the wire, and never the others. */
  drop(lost: number): ModelConnection | undefined {
    const { connection } = this;
    this.read(lost);
    this.connection = undefined;
    this.#isIn = false;
    return connection;
  }

  read(allBut = 0): void {
    const wire = this.connection?.wire ?? [];
    for (const packet of wire.splice(0, Math.max(0, wire.length - allBut))) {
      this.#onPacket(packet);
      // It was told to go: it takes nothing any more.
      if (this.connection === undefined) return;
    }
  }

  #onPacket(packet: string): void {
    if (packet.startsWith("0")) this.#onConnect(JSON.parse(packet.slice(1)) as { sid: string; pid?: string });
    else if (packet.startsWith("2")) this.#onEvent(JSON.parse(packet.slice(packet.indexOf("["))) as unknown[]);
    else if (packet.startsWith("1")) this.#onDisconnect();
    else if (packet.startsWith("4")) this.#onConnectError();
  }

  #onConnect({ sid, pid }: { readonly sid: string; readonly pid?: string }): void {
    if (pid === undefined || this.#pid !== pid) {
      this.life?.end();
      this.lives.push(new Life(sid));
    }
    this.#pid = pid;
    this.#isIn = true;
  }

  #onEvent(args: readonly unknown[]): void {
    const [event, number] = args;
    const last = args.at(-1);
    if (!this.#isIn) this.#ledger.fault(`${args} came before CONNECT`);
    const position = typeof last === "string" ? parsePosition(last)?.sequence : undefined;
    if (typeof last === "string" && position !== undefined) this.#offset = last;
    if (position !== undefined) this.life?.reached(position);
    if (event === "m") this.life?.heard.push({ number: number as number, place: position });
  }

  #onConnectError(): void {
    this.connection?.lose();
    this.connection = undefined;
  }

  #onDisconnect(): void {
    this.life?.kicked();
    this.#isIn = false;
    this.connection?.lose();
    this.connection = undefined;
  }
}

export interface ClientBoxOptions {
  readonly workers: number;
  readonly clients: number;
  /** Clients wait in a middleware. */
  readonly hasSlowDoor: boolean;
  /** Whether Socket.IO's connection state recovery is on. */
  readonly canRecover: boolean;
  /** Most bytes that the hub keeps for clients that come back. */
  readonly maxLogBytes: number;
  /** How much longer each message is made. */
  readonly padding: number;
}

export class ClientBox {
  readonly ledger = new Ledger();
  readonly clients: readonly ModelClient[];
  readonly workers: BoxWorker[];
  readonly hasSlowDoor: boolean;
  readonly canRecover: boolean;
  hub: Hub;
  now = 0;
  readonly #options: ClientBoxOptions;
  readonly #connections: ModelConnection[] = [];
  #lastNumber = 0;

  constructor(options: ClientBoxOptions) {
    const { workers, clients, hasSlowDoor, canRecover } = options;
    this.#options = options;
    this.hasSlowDoor = hasSlowDoor;
    this.canRecover = canRecover;
    this.hub = this.#newHub();
    this.workers = Array.from({ length: workers }, (_, slot) => new BoxWorker(this, slot));
    this.clients = Array.from({ length: clients }, () => new ModelClient(this.ledger));
  }

  get connections(): number {
    return this.#connections.length;
  }

  connectionsOf(worker: BoxWorker): ModelConnection[] {
    return this.#connections.filter((connection) => connection.worker === worker);
  }

  connect(client: ModelClient, worker: BoxWorker, way: Way, lost = 0): void {
    this.#connections.push(client.connect(worker, way, lost));
  }

  /** A worker sees the end of a connection that its client gave up long ago. */
  noticeLoss(): void {
    const isAbandoned = (one: ModelConnection) => this.clients.every(({ connection }) => connection !== one);
    this.#connections.find((one) => one.readyState === "open" && isAbandoned(one))?.lose();
  }

  /** What an app does with a new client. */
  onConnection(worker: BoxWorker, socket: Socket): void {
    if (!socket.recovered) void socket.join("red");
    this.say(worker, "kept", [socket.id], []);
  }

  say(worker: BoxWorker, tone: Tone, rooms: readonly string[], except: readonly string[], from?: Socket): void {
    this.#lastNumber++;
    const number = this.#lastNumber;
    const saying: Saying = { number, by: worker, isKept: tone === "kept", rooms, except, place: undefined };
    const padding = "x".repeat(this.#options.padding);
    this.ledger.said.set(number, saying);
    if (tone === "asking") from?.emit("m", number, padding, () => {});
    else {
      const { io } = worker;
      const way = tone === "volatile" ? io.volatile : tone === "local" ? io.local : io;
      way
        .to([...rooms])
        .except([...except])
        .emit("m", number, padding);
    }
  }

  /** The socket is told to go, by its own worker. */
  kick(client: ModelClient): void {
    client.read();
    const { connection, life } = client;
    const socket = connection?.worker.socketOf(connection);
    if (connection === undefined || socket === undefined) return;
    this.ledger.kicked(socket.id);
    if (life?.sid === socket.id) life.toBeKicked ??= { by: connection.worker, after: this.#lastNumber };
    socket.disconnect();
  }

  /** The worker dies and another one takes its slot. */
  kill({ slot }: BoxWorker, carriesRest: boolean, lost: number): void {
    const dead = this.workers[slot];
    if (dead === undefined) return;
    for (const client of this.clients) if (client.connection?.worker === dead) client.drop(lost);
    dead.kill(carriesRest);
    this.workers[slot] = new BoxWorker(this, slot);
  }

  /** The box stops, and a new one takes up what its hub remembered. */
  async restart(lost: number): Promise<void> {
    for (const client of this.clients) client.drop(lost);
    for (const worker of this.workers) worker.kill(true);
    const state = await savedAndRead(this.hub.snapshot(this.now));
    this.hub = this.#newHub();
    this.hub.restore(state, this.now);
    for (const { slot } of [...this.workers]) this.workers[slot] = new BoxWorker(this, slot);
  }

  /** The hub waits no longer for workers that do not close old connections, or do not get their word of it through. */
  async giveUp(isHeard: boolean): Promise<void> {
    while (isHeard && this.workers.some((worker) => worker.carryDown(100))) await tick();
    this.now += HUB_OPTIONS.evictionTimeoutMs;
    this.ledger.evictionsOver();
    this.hub.sweep(this.now);
  }

  /** Carries everything to where it goes, and what that sets off, until nothing is on its way. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < LONG_WAIT_TICKS + 2; quiet++) {
      for (const worker of this.workers) {
        if (worker.carryUp(100) || worker.carryDown(100)) quiet = 0;
        await turn();
      }
      await tick();
    }
  }

  #newHub(): Hub {
    return new Hub({ ...HUB_OPTIONS, maxLogBytes: this.#options.maxLogBytes });
  }

  end(): void {
    for (const connection of this.#connections) connection.lose();
  }
}

/** Promises are kept, as they are between two chunks that come from the hub. */
export async function turn(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise<void>((resolve) => process.nextTick(resolve));
}

/** Promises are kept, and what was put off until the next turn happens. */
export function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function savedAndRead(state: HubState): Promise<HubState> {
  const header = { build: "b", app: "a", hostname: "h", bootId: "", savedAt: 0 };
  const file = Buffer.concat(encodeState(header, state));
  let at = 0;
  const read = async (bytes: number): Promise<Buffer> => {
    at += bytes;
    return file.subarray(at - bytes, at);
  };
  const reader = new StateReader(read, file.length);
  await reader.header();
  return reader.state();
}
