// Owns the port. Reads each connection's request head, picks a worker, stops reading, hands over the handle.
// After that the primary is out of the data path: request bodies and WebSocket frames never pass through here.
//
//   accepted --head complete--> assigned --> handed over
//      |                           \--no worker ready--> waiting --> assigned, or 503
//      \--malformed, too large, too slow--> 400, 431, 408

import { createServer, type Server, type Socket } from "node:net";
import { AllcoresError, toError } from "../errors.ts";
import { Lifecycle } from "../lib/lifecycle.ts";
import type { Options } from "../options/options.ts";
import type { Affinity } from "./affinity.ts";
import type { HandOver } from "./hand-over.ts";
import { HeadReader } from "./head-reader.ts";
import { pickAffine } from "./pick-affine.ts";
import { pickLeastLoaded, type WorkerLoad } from "./pick-worker.ts";
import { stopReading } from "./reading.ts";
import { type RefusalStatus, refuse } from "./refuse.ts";
import { parseRequestLine, type RequestLine, sessionWorkerOf } from "./request-line.ts";

/** A worker as the router needs it. */
export interface RouteTarget {
  readonly slot: number;
  readonly incarnation: number;
  readonly load: WorkerLoad;
  /** `draining` keeps the clients it has and gets no new ones. */
  readonly state: "ready" | "draining";
  /**
   * Hands over a connection that nobody reads any more, with the bytes read so far. `isNew` says that it will become
   * a client, not a further request of one. When the worker dies before it has the connection, `giveBack` gets it.
   */
  readonly handOver: HandOver["send"];
}

export interface RouterEvents {
  /** A connection was taken from the port. */
  readonly onAccepted: () => void;
  readonly onAssigned: (target: RouteTarget) => void;
  readonly onRefused: (status: RefusalStatus) => void;
}

export interface RouterOptions {
  readonly options: Options;
  /** An inherited listening socket (systemd's socket activation), instead of host and port. */
  readonly listenFd?: number | undefined;
  /** The workers that can take connections at this moment. */
  readonly targets: () => Iterable<RouteTarget>;
  /** Says which new clients belong together. */
  readonly affinity: Pick<Affinity, "isLoading" | "keyOf">;
  readonly events: RouterEvents;
}

/** A connection whose head is complete. */
interface Request {
  readonly socket: Socket;
  readonly head: Buffer;
  readonly line: RequestLine;
}

export class Router extends Lifecycle {
  readonly #options: RouterOptions;
  // Half-open is allowed: a client may send its request and shut its side down, and still wants the answer.
  readonly #server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  readonly #reading = new Set<Socket>();
  readonly #waiting = new Map<Request, NodeJS.Timeout>();
  #lastPicked = -1;

  constructor(options: RouterOptions) {
    super();
    this.#options = options;
  }

  /** `http://HOST:PORT` of the port it owns. Only while running. */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") return `http://${this.#options.options.host}`;
    const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
    return `http://${host}:${address.port}`;
  }

  /** Connections whose head is being read or that wait for a worker. */
  get pending(): number {
    return this.#reading.size + this.#waiting.size;
  }

  /** Sends waiting connections on their way: call it when a worker became ready. */
  workerReady(): void {
    for (const [request, timer] of [...this.#waiting]) {
      clearTimeout(timer);
      this.#waiting.delete(request);
      this.#assign(request);
    }
  }

  protected override async onStart(): Promise<void> {
    const { options, listenFd } = this.#options;
    const { host, port } = options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      const where = listenFd === undefined ? { host, port, backlog: 4096 } : { fd: listenFd };
      this.#server.listen(where, resolve);
    });
    // Out of file descriptors, for one: the box stays up and accepts again when it can.
    this.#server.on("error", () => {});
  }

  /** Closes the port. Connections that are still being read or wait are answered 503. */
  protected override onDrain(): Promise<void> {
    this.#server.close();
    for (const socket of this.#reading) this.#refuse(socket, 503);
    for (const [{ socket }, timer] of this.#waiting) {
      clearTimeout(timer);
      this.#refuse(socket, 503);
    }
    this.#reading.clear();
    this.#waiting.clear();
    return Promise.resolve();
  }

  protected override async onClose(): Promise<void> {
    await this.onDrain();
  }

  #accept(socket: Socket): void {
    this.#options.events.onAccepted();
    socket.on("error", () => socket.destroy());
    if (this.pending >= this.#options.options.router.maxPending) {
      this.#refuse(socket, 503);
      return;
    }
    this.#readHead(socket);
  }

  #readHead(socket: Socket): void {
    const { maxHeadBytes, headTimeoutMs } = this.#options.options.router;
    const reader = new HeadReader(maxHeadBytes);
    const finish = (): void => {
      clearTimeout(timer);
      socket.off("data", onData);
      socket.off("end", onEnd);
      socket.off("close", finish);
      this.#reading.delete(socket);
    };
    const onData = (chunk: Buffer): void => {
      const progress = reader.push(chunk);
      if (progress === "more") return;
      finish();
      if (progress === "complete") this.#route(socket, reader.bytes());
      else this.#refuse(socket, progress === "tooLarge" ? 431 : 400);
    };
    const onEnd = (): void => {
      finish();
      socket.destroy();
    };
    const timer = setTimeout(() => {
      finish();
      this.#refuse(socket, 408);
    }, headTimeoutMs);

    this.#reading.add(socket);
    socket.on("data", onData);
    socket.on("end", onEnd);
    socket.on("close", finish);
  }

  #route(socket: Socket, head: Buffer): void {
    const line = parseRequestLine(head);
    if (line === undefined) {
      this.#refuse(socket, 400);
      return;
    }
    stopReading(socket);
    this.#assign({ socket, head, line });
  }

  #assign(request: Request): void {
    const owner = this.#ownerOf(request.line.target);
    const target = owner ?? this.#pickForNew(request);
    if (target === undefined) {
      this.#wait(request);
      return;
    }
    const isNew = owner === undefined;
    if (isNew) {
      target.load.assign();
      this.#lastPicked = target.slot;
    }
    this.#options.events.onAssigned(target);
    target.handOver(request.socket, request.head, isNew, (socket) => {
      if (isNew) target.load.unassign();
      // Not at once: news of the worker's death must get a turn.
      setImmediate(() => this.#assign({ ...request, socket }));
    });
  }

  #ownerOf(requestTarget: string): RouteTarget | undefined {
    const name = sessionWorkerOf(requestTarget);
    if (name === undefined) return undefined;
    for (const target of this.#options.targets()) {
      if (target.slot === name.slot && target.incarnation === name.incarnation) return target;
    }
    return undefined;
  }

  #pickForNew({ socket, head, line }: Request): RouteTarget | undefined {
    const { affinity, targets } = this.#options;
    const ready = [...targets()].filter(({ state }) => state === "ready");
    if (ready.length === 0 || affinity.isLoading) return undefined;
    const key = affinity.keyOf(head, line, socket.remoteAddress ?? "");
    return key === undefined ? this.#leastLoaded(ready) : pickAffine(key, ready);
  }

  /** Equals take turns: the search begins behind the slot that was picked last. */
  #leastLoaded(ready: readonly RouteTarget[]): RouteTarget | undefined {
    const next = ready.findIndex(({ slot }) => slot > this.#lastPicked);
    return pickLeastLoaded(next <= 0 ? ready : [...ready.slice(next), ...ready.slice(0, next)]);
  }

  #wait(request: Request): void {
    if (this.state !== "running") {
      this.#refuse(request.socket, 503);
      return;
    }
    const timer = setTimeout(() => {
      this.#waiting.delete(request);
      this.#refuse(request.socket, 503);
    }, this.#options.options.router.workerWaitMs);
    this.#waiting.set(request, timer);
  }

  #refuse(socket: Socket, status: RefusalStatus): void {
    this.#options.events.onRefused(status);
    refuse(socket, status);
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): AllcoresError {
  const advice =
    error.code === "EADDRINUSE"
      ? "Another program has it: stop that one, or choose another with --port."
      : error.code === "EACCES"
        ? "Ports below 1024 need a privilege: use another with --port, or systemd's socket activation."
        : toError(error).message;
  return new AllcoresError("ALLCORES_ERR_LISTEN", `Cannot listen on ${host}:${port}. ${advice}`, { cause: error });
}
