// All baselines, in the order of the tables. A new one is one file and one line here.

import { AllcoresError } from "../../errors.ts";
import type { Baseline } from "./baseline.ts";
import { floor } from "./floor.ts";
import { official, officialPatched } from "./official.ts";
import { rawWs } from "./raw-ws.ts";
import { redis, sharded } from "./redis.ts";
import { single, singleRecovery } from "./single.ts";

export const BASELINES: readonly Baseline[] = [
  single,
  singleRecovery,
  floor,
  official,
  officialPatched,
  redis,
  sharded,
  rawWs,
];

export function findBaseline(name: string): Baseline {
  const baseline = BASELINES.find((one) => one.name === name);
  if (baseline === undefined) throw new AllcoresError("ALLCORES_ERR_USAGE", `There is no baseline "${name}".`);
  return baseline;
}
