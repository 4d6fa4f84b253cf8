// The contract of a baseline: what people use instead of allcores, run side by side with it.
// A baseline runs in a process of its own (run.ts), which forks whatever else it needs.

import type { PidsByRole } from "../contract.ts";

/** What a reader of the result has to know of a server, and the bench before it starts one. */
export interface ServerTraits {
  readonly name: string;
  /** One line for the legend of the tables: what it is. */
  readonly summary: string;
  /** Packages whose versions belong in the result. */
  readonly packages: readonly string[];
  /** Settings that are not the packages' defaults, as they would stand in code. */
  readonly settings: readonly string[];
  /** Whether it runs as many workers as it is told, or one process whatever it is told. */
  readonly usesWorkers: boolean;
  /** Whether it promises that all members of a room see one order. */
  readonly ordersRooms: boolean;
}

export interface Baseline extends ServerTraits {
  /** Whether a worker that dies is started again. */
  readonly replacesWorkers: boolean;
  /** Whether it serves on the port it is told. What does can be deployed: by a restart, for none of them has a reload. */
  readonly takesPort: boolean;
  /** Brings up all workers and resolves once they serve. */
  readonly start: (request: StartRequest) => Promise<RunningBaseline>;
  /** The half that runs in a forked worker, where there is one. */
  readonly runWorker?: () => Promise<void>;
}

export interface StartRequest {
  readonly workers: number;
  /** Where to listen; 0: any free port. */
  readonly port: number;
  readonly onPids: OnPids;
}

/** Hears of every change after the start, such as a worker that was replaced. */
export type OnPids = (pids: PidsByRole) => void;

export interface RunningBaseline {
  readonly urls: readonly string[];
  readonly pids: PidsByRole;
  readonly close: () => Promise<void>;
}
