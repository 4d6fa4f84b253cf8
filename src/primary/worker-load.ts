// The load of one worker as the router sees it. Reports of a worker lag behind, so its clients are those it reported and
// those assigned since that report. The clock comes in as an argument.

import { LOAD_INTERVAL_MS } from "../bus/messages.ts";

export interface LoadReport {
  /** Clients the worker has. */
  readonly clients: number;
  /** New clients' connections it had received in all when it counted. */
  readonly received: number;
  /** Worst lag of its event loop in the last second or two, in milliseconds. */
  readonly loopLagMs: number;
}

/** A stall counts more the longer it lasts, and is forgotten as slowly. */
const LAG_MEMORY_MS = 3000;

/** A worker that is silent for longer than this is late by as much. */
const MAX_SILENCE_MS = 3 * LOAD_INTERVAL_MS;

/** The first workers of a box that became ready within this time of each other began together. */
const SAME_START_MS = 3000;

/** A new worker may take more and more, from twice its share to everything that comes. */
const WARM_UP_MS = 10_000;

export class WorkerLoad {
  #clients = 0;
  #received = 0;
  #assigned = 0;
  #lagMs = 0;
  #reportedAtMs: number | undefined;
  /** When it began to take clients. */
  #beganAtMs = Number.NEGATIVE_INFINITY;
  #isReplacement = false;
  /** Clients that went to others since it was given one. */
  #passedOver = 0;

  get clients(): number {
    return this.#clients + Math.max(0, this.#assigned - this.#received);
  }

  /** How late the event loop has been of late, or is at least as the worker says nothing. */
  lagMs(nowMs: number): number {
    const silentMs = nowMs - (this.#reportedAtMs ?? nowMs);
    return silentMs > MAX_SILENCE_MS ? Math.max(this.#lagMs, silentMs) : this.#lagMs;
  }

  /** It takes clients from now on; a replacement does so where others have clients already. */
  begin(nowMs: number, isReplacement: boolean): void {
    this.#beganAtMs = nowMs;
    this.#isReplacement = isReplacement;
  }

  /** Whether it began with the others, the first of them `eldestMs` ago: it is no colder than they are. */
  cameWith(eldestMs: number, nowMs: number): boolean {
    return !this.#isReplacement && eldestMs - this.ageMs(nowMs) <= SAME_START_MS;
  }

  /** It takes the place of a worker whose clients come to it now, at a pace that is set elsewhere. */
  endWarmUp(): void {
    this.#beganAtMs = Number.NEGATIVE_INFINITY;
  }

  /** A new client is on its way to the worker. */
  assign(): void {
    this.#assigned++;
    this.#passedOver = 0;
  }

  /** A client that was assigned could not be handed over. */
  unassign(): void {
    this.#assigned--;
  }

  /** A new client went to another worker. */
  passOver(): void {
    this.#passedOver++;
  }

  /** How long it has taken clients, in milliseconds. */
  ageMs(nowMs: number): number {
    return nowMs - this.#beganAtMs;
  }

  /** While it warms up: whether it was given one too recently, as one of `workers`. */
  isAheadOfItsShare(workers: number, nowMs: number): boolean {
    const warmth = this.ageMs(nowMs) / WARM_UP_MS;
    if (warmth >= 1) return false;
    const first = 2 / (workers + 1);
    const share = first + (1 - first) * Math.max(0, warmth);
    return this.#passedOver < (1 - share) / share;
  }

  report({ clients, received, loopLagMs }: LoadReport, nowMs: number): void {
    const elapsedMs = nowMs - (this.#reportedAtMs ?? nowMs);
    const weight = 1 - Math.exp(-elapsedMs / LAG_MEMORY_MS);
    this.#lagMs += (loopLagMs - this.#lagMs) * weight;
    this.#clients = clients;
    this.#received = received;
    this.#reportedAtMs = nowMs;
  }
}
