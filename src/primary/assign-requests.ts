// Gives each request to a worker: the one that has its session, or for a new client one that is picked. With no worker
// ready a request waits, for so long; one that a worker did not take comes back and is assigned again.

import type { Socket } from "node:net";
import type { Visit } from "./admission/visit.ts";
import type { Affinity } from "./affinity.ts";
import { AffinePicker } from "./pick-affine.ts";
import { WorkerPicker } from "./pick-worker.ts";
import type { RefusalReason } from "./refuse.ts";
import { type RequestLine, sessionWorkerOf } from "./request-line.ts";
import type { RouteTarget } from "./route-target.ts";

/** A connection whose head is complete, and that nobody reads any more. */
export interface Request {
  readonly socket: Socket;
  readonly visit: Visit;
  readonly head: Buffer;
  readonly line: RequestLine;
}

export interface AssignRequestsOptions {
  /** The workers that can take connections at this moment. */
  readonly targets: () => Iterable<RouteTarget>;
  /** Says which new clients belong together. */
  readonly affinity: Pick<Affinity, "isLoading" | "keyOf">;
  /** How long a request waits for a worker, in milliseconds. */
  readonly waitMs: number;
  readonly onAssigned: (target: RouteTarget) => void;
  readonly onRefused: (socket: Socket, reason: RefusalReason) => void;
}

export class AssignRequests {
  readonly #options: AssignRequestsOptions;
  readonly #picker = new WorkerPicker();
  readonly #affinePicker = new AffinePicker();
  readonly #waiting = new Map<Request, NodeJS.Timeout>();
  #isClosed = false;

  constructor(options: AssignRequestsOptions) {
    this.#options = options;
  }

  /** Requests that wait for a worker. */
  get waiting(): number {
    return this.#waiting.size;
  }

  assign(request: Request): void {
    const owner = this.#ownerOf(request.line.target);
    const target = owner ?? this.#assignNew(request);
    if (target === "none") this.#wait(request);
    else if (target === "full") this.#options.onRefused(request.socket, "no_descriptors");
    else this.#send(request, target, owner === undefined);
  }

  /** Assigns those that wait: call it when a worker became ready. */
  workerReady(): void {
    for (const [request, timer] of [...this.#waiting]) {
      clearTimeout(timer);
      this.#waiting.delete(request);
      this.assign(request);
    }
  }

  /** Those that wait, now or later, are answered 503. */
  close(): void {
    this.#isClosed = true;
    for (const [{ socket }, timer] of this.#waiting) {
      clearTimeout(timer);
      this.#options.onRefused(socket, 503);
    }
    this.#waiting.clear();
  }

  #ownerOf(requestTarget: string): RouteTarget | undefined {
    const name = sessionWorkerOf(requestTarget);
    if (name === undefined) return undefined;
    for (const target of this.#options.targets()) {
      if (target.slot === name.slot && target.incarnation === name.incarnation) return target;
    }
    return undefined;
  }

  #assignNew({ visit, head, line }: Request): RouteTarget | "none" | "full" {
    const { affinity, targets } = this.#options;
    const ready = [...targets()].filter(({ state }) => state === "ready");
    if (ready.length === 0 || affinity.isLoading) return "none";
    const able = ready.filter(({ isFull }) => !isFull);
    const key = affinity.keyOf(head, line, visit.address);
    if (key !== undefined) return this.#affinePicker.assign(key, able) ?? "full";
    return this.#picker.assign(able, performance.now()) ?? "full";
  }

  #send(request: Request, target: RouteTarget, isNew: boolean): void {
    const { onAssigned, onRefused } = this.#options;
    onAssigned(target);
    const note = { isNew, ...request.visit.handTo(target) };
    const takeBack = (): void => {
      if (isNew) target.load.unassign();
      request.visit.takeBack();
    };
    const isSent = target.handOver(request.socket, request.head, note, (socket, why) => {
      takeBack();
      request.visit.moveTo(socket);
      // A session lives nowhere else.
      if (why === "full" && !isNew) onRefused(socket, "no_descriptors");
      else if (why === "late") onRefused(socket, 503);
      // Not at once: news of the worker's death must get a turn.
      else setImmediate(() => this.assign({ ...request, socket }));
    });
    if (!isSent) {
      takeBack();
      request.visit.end();
    }
  }

  #wait(request: Request): void {
    const { waitMs, onRefused } = this.#options;
    if (this.#isClosed) {
      onRefused(request.socket, 503);
      return;
    }
    const timer = setTimeout(() => {
      this.#waiting.delete(request);
      onRefused(request.socket, 503);
    }, waitMs);
    this.#waiting.set(request, timer);
  }
}
