// Decides which worker gets a new client: the least loaded one, counting clients when they are assigned.
// Reports of a worker lag behind, so its load is what it reported plus what was assigned since that report.

export interface LoadReport {
  /** Clients the worker has. */
  readonly clients: number;
  /** New clients' connections it had received in all when it counted. */
  readonly received: number;
}

/** The load of one worker, as the router sees it. */
export class WorkerLoad {
  #clients = 0;
  #received = 0;
  #assigned = 0;

  get clients(): number {
    return this.#clients + Math.max(0, this.#assigned - this.#received);
  }

  /** A new client is on its way to the worker. */
  assign(): void {
    this.#assigned++;
  }

  /** A client that was assigned could not be handed over. */
  unassign(): void {
    this.#assigned--;
  }

  report({ clients, received }: LoadReport): void {
    this.#clients = clients;
    this.#received = received;
  }
}

/** The least loaded candidate; the first of equals, so the caller's order breaks ties. */
export function pickLeastLoaded<T extends { readonly load: WorkerLoad }>(candidates: Iterable<T>): T | undefined {
  let best: T | undefined;
  for (const candidate of candidates) {
    if (best === undefined || candidate.load.clients < best.load.clients) best = candidate;
  }
  return best;
}
