// Parameters of scenarios: their types from their table, their values from the plan.

import { AllcoresError } from "../errors.ts";
import type { ParamSpec, Params, ParamTable, ParamValue } from "./contract.ts";

/** The values of a table, typed by its rows. */
export type ParamsOf<T extends ParamTable> = {
  readonly [K in keyof T]: T[K] extends { type: "integer" }
    ? number
    : T[K] extends { type: "boolean" }
      ? boolean
      : string;
};

/** Defaults, with `given` over them. Fails with ALLCORES_ERR_USAGE, naming the parameter. */
export function resolveParams<T extends ParamTable>(table: T, given: Params = {}): ParamsOf<T> {
  for (const name of Object.keys(given)) {
    if (!(name in table)) throw usage(`there is no parameter "${name}"; there are ${Object.keys(table).join(", ")}.`);
  }
  const entries = Object.entries(table).map(([name, spec]) => {
    const value = given[name] ?? spec.default;
    if (!fits(spec, value)) throw usage(`"${name}" must be ${describe(spec)}, got ${String(value)}.`);
    return [name, value] as const;
  });
  return Object.fromEntries(entries) as ParamsOf<T>;
}

function fits(spec: ParamSpec, value: ParamValue): boolean {
  switch (spec.type) {
    case "integer":
      return Number.isInteger(value) && Number(value) >= spec.min && Number(value) <= spec.max;
    case "choice":
      return spec.values.includes(String(value));
    case "boolean":
      return typeof value === "boolean";
  }
}

function describe(spec: ParamSpec): string {
  switch (spec.type) {
    case "integer":
      return `a whole number from ${spec.min} to ${spec.max}`;
    case "choice":
      return `one of ${spec.values.join(", ")}`;
    case "boolean":
      return "true or false";
  }
}

function usage(message: string): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_USAGE", `Scenario: ${message}`);
}

/** Rows that most scenarios have. */
export const COMMON_PARAMS = {
  clients: { type: "integer", default: 400, min: 1, max: 100_000, doc: "Connections." },
  rate: { type: "integer", default: 2000, min: 1, max: 1_000_000, doc: "Messages per second into the server." },
  payloadBytes: { type: "integer", default: 100, min: 28, max: 60_000, doc: "Bytes of each message's payload." },
  seconds: { type: "integer", default: 15, min: 1, max: 3600, doc: "Measured time, in seconds." },
  warmupSeconds: {
    type: "integer",
    default: 3,
    min: 0,
    max: 600,
    doc: "Traffic before the measured time, in seconds.",
  },
  connectRate: {
    type: "integer",
    default: 500,
    min: 0,
    max: 100_000,
    doc: "New connections per second; 0: all at once.",
  },
} as const satisfies ParamTable;

/** Rows of scenarios with rooms. */
export const ROOM_PARAMS = {
  roomSize: { type: "integer", default: 10, min: 1, max: 10_000, doc: "Members of each room." },
  placement: {
    type: "choice",
    default: "scattered",
    values: ["together", "scattered"],
    doc: "together: clients name their room in the handshake, so that the server can keep a room on one worker.",
  },
} as const satisfies ParamTable;
