// Variables that look like options of allcores and are none. They are no error: whoever starts the box may not have chosen
// them (Kubernetes makes ALLCORES_PORT of a service called "allcores").

import { closestName } from "../lib/closest-name.ts";
import { envOf, flagOf, OPTION_NAMES } from "./resolve.ts";
import { OPTION_TABLE, type Row } from "./table.ts";

const PREFIX = "ALLCORES_";
/** What is meant for the benchmark and the tests is theirs. */
const FOREIGN = /^ALLCORES_(BENCH|TEST)_/;

/** One sentence for each variable that sets nothing, with what was probably meant. */
export function describeUnknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = OPTION_NAMES.flatMap((name) => {
    const { secret }: Row = OPTION_TABLE[name];
    return secret === true ? [envOf(name), `${envOf(name)}_FILE`] : [envOf(name)];
  });
  const isUnknown = (variable: string): boolean =>
    variable.startsWith(PREFIX) && !FOREIGN.test(variable) && !known.includes(variable);
  return Object.keys(env)
    .filter(isUnknown)
    .map((variable) => {
      const meant = variableOfFlag(variable) ?? closestName(variable, known);
      return `The environment has ${variable}, which sets no option.${meant === undefined ? "" : ` Did you mean ${meant}?`}`;
    });
}

/** Options with a common variable (PORT, LOG_LEVEL) have no second one of their own. */
function variableOfFlag(variable: string): string | undefined {
  const flag = variable.slice(PREFIX.length).toLowerCase().replaceAll("_", "-");
  const name = OPTION_NAMES.find((candidate) => flagOf(candidate) === flag);
  return name === undefined ? undefined : envOf(name);
}
