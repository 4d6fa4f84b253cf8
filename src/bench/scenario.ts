// What a scenario is: who connects and sends what, what is done to the server meanwhile, and which numbers it adds to
// those that every run has. Scenarios decide; `ScenarioRun` does.

import type {
  ConnectStats,
  Figure,
  LatencySummary,
  LedgerVerdict,
  Params,
  ParamTable,
  RoleFigures,
  ScenarioInfo,
  ServerCost,
  TargetControl,
} from "./contract.ts";
import { GAP_LATENCY } from "./load/run-stats.ts";
import type { ClientSpec, LoadScript } from "./load/script.ts";
import type { ParamsOf } from "./params.ts";

/**
 * Whom a message reaches: the members of the sender's `room`, one other `user` (on another worker where there is one),
 * `all` clients of the same url, or nobody: the ack is the result (`self`).
 */
export type Reach = "room" | "user" | "all" | "self";

/** The script as far as it is the scenario's; target, protocol and common parameters are filled in by the run. */
export type ScenarioScript = Pick<LoadScript, "clients" | "flows"> &
  Partial<
    Pick<LoadScript, "asksSlot" | "tellsRoom" | "acksPublishes" | "outages" | "connectRetryMs" | "connectDeadlineMs">
  >;

/** Means to do harm while traffic runs. */
export interface Chaos {
  readonly control: TargetControl;
  /** Resolves `second` seconds after the start of the measured time. */
  readonly at: (second: number) => Promise<void>;
  /** Marks this moment in the result. */
  readonly mark: (label: string) => void;
}

/** What figures can be made of. */
export interface RunFacts {
  readonly ledger: LedgerVerdict;
  readonly urls: readonly string[];
  readonly script: LoadScript;
  readonly connects: ConnectStats;
  readonly notReturned: number;
  readonly latency: (name: string) => LatencySummary;
  readonly measuredMs: number;
  readonly cost: ServerCost | undefined;
  /** Memory before the first client connected. */
  readonly pssBeforeBytes: RoleFigures | undefined;
  /** Which worker each client is on, by client id, as far as the app tells. */
  readonly workers: ReadonlyMap<number, string>;
  /** By client id: the room (or user) it sends to; -1: none. */
  readonly sendRooms: Int32Array;
}

/** `P` is the type of its parameters. */
export interface ScenarioOf<P> extends ScenarioInfo {
  readonly reach: Reach;
  /** Name of the latency that stands for the scenario. */
  readonly mainLatency: string;
  /** Clients that never get in are a result here, not a reason to void the run. */
  readonly measuresConnects?: boolean;
  readonly script: (params: P, urlCount: number) => ScenarioScript;
  readonly during?: (chaos: Chaos, params: P) => Promise<void>;
  readonly figures?: (facts: RunFacts, params: P) => Figure[];
}

/** A scenario as the run sees it: its parameters were checked against its own table. */
export type Scenario = ScenarioOf<Params>;

/** Types the parameters inside a scenario by its table. */
export function defineScenario<const T extends ParamTable>(
  scenario: ScenarioOf<ParamsOf<T>> & { readonly params: T },
): Scenario {
  return scenario as unknown as Scenario;
}

/** How long clients were without service, where connections break: the same for every kind of harm. */
export function outageFigures({ latency, connects, notReturned, ledger }: RunFacts): Figure[] {
  const gap = latency(GAP_LATENCY);
  const lower = (name: string, label: string, value: number, unit: string): Figure => {
    return { name, label, value, unit, better: "lower", despiteLoss: true };
  };
  return [
    lower("gapP50Ms", "longest gap of a client, p50", gap.p50, "ms"),
    lower("gapP99Ms", "longest gap of a client, p99", gap.p99, "ms"),
    lower("gapMaxMs", "longest gap of a client, max", gap.max, "ms"),
    lower("notReturned", "clients that did not return", notReturned, ""),
    lower("refused", "connection attempts refused", connects.refused, ""),
    lower("hung", "connection attempts hung", connects.hung, ""),
    lower("lostMessages", "messages lost or missed", ledger.lost + ledger.missed, ""),
    {
      name: "returns",
      label: "returns after a break",
      value: connects.returns,
      unit: "",
      better: "neither",
      despiteLoss: true,
    },
    {
      name: "recoveredPercent",
      label: "returns recovered",
      value: percent(connects.recovered, connects.returns),
      unit: "%",
      better: "higher",
      despiteLoss: true,
    },
  ];
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 100 : (part / whole) * 100;
}

/** Clients in rooms of `roomSize`, all of them senders of flow 0; a room's clients share a url. */
export function clientsInRooms(count: number, roomSize: number, urlCount: number): ClientSpec[] {
  return Array.from({ length: count }, (_, id) => {
    const room = Math.floor(id / roomSize);
    return { id, room, url: room % urlCount, flow: 0 };
  });
}

/** Clients in no room, dealt out over the urls. */
export function clientsAlone(count: number, urlCount: number, flowOf: (id: number) => number): ClientSpec[] {
  return Array.from({ length: count }, (_, id) => ({ id, room: -1, url: id % urlCount, flow: flowOf(id) }));
}
