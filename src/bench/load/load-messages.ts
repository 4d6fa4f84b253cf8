// What the parent and its load processes say to each other. Each command has one answer of the same name.

import type { RoomLedgerReport } from "../ledger/room-ledger.ts";
import type { Arrivals } from "./arrivals.ts";
import type { FlowShare } from "./layout.ts";
import type { Pulse, StatsReport } from "./run-stats.ts";
import type { LoadScript } from "./script.ts";
import type { SelfReport } from "./self-watch.ts";

/** The part of a run that one load process does. */
export interface LoadAssignment {
  /** With this process's clients only. */
  readonly script: LoadScript;
  /** Which latency the timeline shows. */
  readonly mainLatency: string;
  /** Its place among the processes, for connects. */
  readonly share: number;
  readonly shares: number;
  /** By flow: its place among the processes that send in it. */
  readonly flowShares: readonly (FlowShare | undefined)[];
}

export interface Traffic {
  /** Start of traffic on the machine's clock. */
  readonly zeroUs: number;
  readonly measureFromUs: number;
  /** No message due at or after it is sent. Infinity when only the `stop` command will tell. */
  readonly endUs: number;
  /** By client id, of all load processes: the room whose messages it gets, and the one it sends to; -1: none. */
  readonly homes: Int32Array;
  readonly sendRooms: Int32Array;
}

/** How long to wait for what is still missing: while something arrives, and at the very most. */
export interface Patience {
  readonly quietMs: number;
  readonly maxMs: number;
}

export interface LoadCommands {
  connect: { readonly assignment: LoadAssignment; readonly startUs: number };
  go: Traffic;
  /** The measured time ends at `atUs`. Answered when all that is left was sent and acked, or will not be. */
  stop: { readonly atUs: number; readonly patience: Patience };
  /** `sent` is the final count of every sender, by client id; `uncertain` are message keys. */
  settle: { readonly sent: Int32Array; readonly uncertain: readonly number[]; readonly patience: Patience };
  sequences: { readonly room: number };
}

export interface LoadAnswers {
  connect: {
    readonly ready: number;
    readonly lastReadyUs: number;
    /** Client id and worker slot, for those whose app tells it. */
    readonly slots: readonly (readonly [number, unknown])[];
  };
  go: null;
  stop: { readonly sent: readonly (readonly [number, number])[]; readonly uncertain: readonly number[] };
  settle: LoadResult;
  sequences: readonly Float64Array[];
}

export interface LoadResult {
  readonly stats: StatsReport;
  readonly arrivals: ReturnType<Arrivals["report"]>;
  readonly ledger: RoomLedgerReport;
  readonly self: SelfReport;
  /** Acks that never came although the connection held. */
  readonly openAcks: number;
  /** Messages that nobody could send when they were due. */
  readonly unsent: number;
  /** Clients that had been in and were not when all was over. */
  readonly notReturned: number;
  readonly sampledClients: number;
  /** Seconds that no pulse has told yet. */
  readonly pulses: readonly Pulse[];
}

export type CommandName = keyof LoadCommands;

export type ToLoadProcess = { [N in CommandName]: { readonly name: N; readonly body: LoadCommands[N] } }[CommandName];

export type FromLoadProcess =
  | { [N in CommandName]: { readonly name: N; readonly body: LoadAnswers[N] } }[CommandName]
  | { readonly name: "up" }
  | { readonly name: "pulse"; readonly pulses: readonly Pulse[]; readonly connected: number; readonly busy: number };
