// The register of scenarios: one file each in `scenarios/`, one line here.

import { AllcoresError } from "../errors.ts";
import type { ScenarioInfo } from "./contract.ts";
import type { Scenario } from "./scenario.ts";
import { ack } from "./scenarios/ack.ts";
import { broadcast } from "./scenarios/broadcast.ts";
import { churn } from "./scenarios/churn.ts";
import { connect } from "./scenarios/connect.ts";
import { cpu } from "./scenarios/cpu.ts";
import { crash } from "./scenarios/crash.ts";
import { direct } from "./scenarios/direct.ts";
import { echo } from "./scenarios/echo.ts";
import { idle } from "./scenarios/idle.ts";
import { jitter } from "./scenarios/jitter.ts";
import { reload } from "./scenarios/reload.ts";
import { room } from "./scenarios/room.ts";
import { rooms } from "./scenarios/rooms.ts";
import { storm } from "./scenarios/storm.ts";

const ALL: readonly Scenario[] = [
  connect,
  echo,
  rooms,
  room,
  direct,
  broadcast,
  ack,
  idle,
  cpu,
  jitter,
  reload,
  crash,
  churn,
  storm,
];

/** In the order of `bench --list`. */
export const SCENARIOS: readonly ScenarioInfo[] = ALL;

/** Fails with ALLCORES_ERR_USAGE when there is none of this name. */
export function findScenario(name: string): Scenario {
  const scenario = ALL.find((candidate) => candidate.name === name);
  if (scenario !== undefined) return scenario;
  const names = ALL.map((candidate) => candidate.name).join(", ");
  throw new AllcoresError("ALLCORES_ERR_USAGE", `There is no scenario "${name}"; there are ${names}.`);
}
