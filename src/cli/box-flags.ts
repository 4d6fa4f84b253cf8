// How the verbs that speak to a running box find it: by its admin port.

import { AllcoresError } from "../errors.ts";
import { resolveOptions } from "../options/resolve.ts";
import type { FlagSpec, ParsedArguments } from "./arguments.ts";
import { readConfigFile } from "./config-file.ts";

export const BOX_FLAGS = {
  "admin-port": { type: "string" },
  config: { type: "string" },
} as const satisfies Record<string, FlagSpec>;

export const BOX_FLAGS_HELP = `  --admin-port N
      The admin port of the box. [ALLCORES_ADMIN_PORT, default 9400]
  --config FILE
      The configuration file of the box, if its admin port is set there.`;

/** Only this option is looked at: a secret that cannot be read here is no reason not to stop a box. */
export function findAdminPort(flags: ParsedArguments["flags"], { ALLCORES_ADMIN_PORT }: NodeJS.ProcessEnv): number {
  const { adminPort } = resolveOptions({
    flags: { "admin-port": flags["admin-port"] },
    env: { ALLCORES_ADMIN_PORT },
    file: typeof flags.config === "string" ? pickAdminPort(readConfigFile(flags.config)) : undefined,
  }).options;
  if (adminPort !== 0) return adminPort;
  throw new AllcoresError(
    "ALLCORES_ERR_USAGE",
    "--admin-port 0 names no running box: use the admin port in its ready line.",
  );
}

function pickAdminPort(file: unknown): { adminPort?: unknown } {
  const { adminPort } = Object(file) as { adminPort?: unknown };
  return adminPort === undefined ? {} : { adminPort };
}
