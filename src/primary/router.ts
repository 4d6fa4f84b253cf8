// Owns the port. Reads each connection's request head, picks a worker, stops reading, hands over the handle.
// After that the primary is out of the data path: request bodies and WebSocket frames never pass through here.
//
//   accepted --head complete--> assigned --> handed over
//      |                           \--no worker ready--> waiting --> assigned, or 503
//      \--malformed, too large, too slow, one too many--> 400, 431, 408, 429

import { createServer, type Server, type Socket } from "node:net";
import { AllcoresError } from "../errors.ts";
import { Lifecycle } from "../lib/lifecycle.ts";
import { stopReading } from "../lib/reading.ts";
import type { Options } from "../options/options.ts";
import { type Reception, Visit, type VisitOrigin } from "./admission/visit.ts";
import { AssignRequests, type AssignRequestsOptions } from "./assign-requests.ts";
import { FdHeadroom } from "./fd-headroom.ts";
import { ReadHeads } from "./read-heads.ts";
import { type RefusalReason, refuse } from "./refuse.ts";
import { parseRequestLine, sessionWorkerOf } from "./request-line.ts";
import type { RouteTarget } from "./route-target.ts";

export interface RouterEvents {
  /** A connection was taken from the port. */
  readonly onAccepted: () => void;
  readonly onAssigned: (target: RouteTarget) => void;
  readonly onRefused: (reason: RefusalReason) => void;
  /** A connection was closed because its PROXY protocol header is malformed or missing. */
  readonly onBadProxyHeader: () => void;
}

export interface RouterOptions extends Pick<AssignRequestsOptions, "targets" | "affinity"> {
  readonly options: Options;
  /** An inherited listening socket (systemd's socket activation), instead of host and port. */
  readonly listenFd?: number | undefined;
  /** Who clients are, and which may come in. */
  readonly reception: Reception;
  readonly events: RouterEvents;
}

const NO_SUCH_ADDRESS = "This machine has no such address: give one that it has with --host.";
const LISTEN_ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: "Another program has it: stop that one, or choose another with --port.",
  EACCES: "Ports below 1024 need a privilege: use another with --port, or systemd's socket activation.",
  EADDRNOTAVAIL: NO_SUCH_ADDRESS,
  ENOTFOUND: NO_SUCH_ADDRESS,
};

export class Router extends Lifecycle {
  readonly #options: RouterOptions;
  // Half-open is allowed: a client may send its request and shut its side down, and still wants the answer.
  readonly #server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  readonly #headroom = new FdHeadroom();
  readonly #heads: ReadHeads;
  readonly #requests: AssignRequests;

  constructor(options: RouterOptions) {
    super();
    const { targets, affinity, events } = options;
    const { headTimeoutMs, workerWaitMs } = options.options.router;
    const onRefused = (socket: Socket, reason: RefusalReason): void => this.#refuse(socket, reason);
    this.#options = options;
    this.#heads = new ReadHeads({
      timeoutMs: headTimeoutMs,
      onComplete: (socket, visit) => this.#route(socket, visit),
      onRefused,
      onBadProxyHeader: (socket) => this.#close(socket),
    });
    this.#requests = new AssignRequests({
      targets,
      affinity,
      waitMs: workerWaitMs,
      onAssigned: events.onAssigned,
      onRefused,
    });
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
    return this.#heads.count + this.#requests.waiting;
  }

  /** Sends waiting connections on their way: call it when a worker became ready. */
  workerReady(): void {
    this.#requests.workerReady();
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
    this.#heads.close();
    this.#requests.close();
    return Promise.resolve();
  }

  protected override async onClose(): Promise<void> {
    await this.onDrain();
  }

  /** Takes a connection of a worker, for a request that is another worker's. */
  acceptRelay(socket: Socket, secret: string): void {
    this.#receive(socket, { from: "relay", secret });
  }

  /** Takes a connection back from a worker: the request that `bytes` begin with is another worker's. */
  acceptAgain(socket: Socket, bytes: Buffer, peer: string): void {
    stopReading(socket);
    this.#receive(socket, { from: "worker", peer }, bytes);
  }

  #accept(socket: Socket): void {
    this.#options.events.onAccepted();
    this.#receive(socket, { from: "port" });
  }

  #receive(socket: Socket, origin: VisitOrigin, bytes?: Buffer): void {
    socket.on("error", () => socket.destroy());
    if (this.pending >= this.#options.options.router.maxPending) {
      this.#refuse(socket, 503);
      return;
    }
    if (this.#headroom.isUsedUpBy(socket)) {
      this.#refuse(socket, "no_descriptors");
      return;
    }
    const visit = new Visit(socket, this.#options.reception, origin);
    if (visit.refusal !== undefined) this.#refuse(socket, visit.refusal);
    else if (bytes === undefined) this.#heads.read(socket, visit);
    else this.#heads.take(socket, visit, bytes);
  }

  #route(socket: Socket, visit: Visit): void {
    const head = visit.bytes();
    const line = parseRequestLine(head);
    if (line === undefined) {
      this.#refuse(socket, 400);
      return;
    }
    const refusal = sessionWorkerOf(line.target) === undefined ? visit.admit() : undefined;
    if (refusal !== undefined) {
      this.#refuse(socket, refusal);
      return;
    }
    stopReading(socket);
    this.#requests.assign({ socket, visit, head, line });
  }

  #refuse(socket: Socket, reason: RefusalReason): void {
    this.#options.events.onRefused(reason);
    refuse(socket, reason);
  }

  /** What came was not meant for HTTP, and neither is an answer. */
  #close(socket: Socket): void {
    this.#options.events.onBadProxyHeader();
    socket.destroy();
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): AllcoresError {
  const advice = LISTEN_ADVICE[error.code ?? ""] ?? error.message;
  return new AllcoresError("ALLCORES_ERR_LISTEN", `Cannot listen on ${host}:${port}. ${advice}`, { cause: error });
}
