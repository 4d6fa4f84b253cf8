// The options that limit connections. What they mean is decided in the primary; the workers only need to know whether
// connections are counted at all.

import type { Options } from "../options/options.ts";

export type AdmissionLimits = Pick<
  Options["limits"],
  "maxConnections" | "connectionsPerAddress" | "connectsPerSecondPerAddress" | "connectBurstPerAddress"
>;

export function hasAdmissionLimits(limits: AdmissionLimits): boolean {
  return limits.maxConnections > 0 || limits.connectionsPerAddress > 0 || limits.connectsPerSecondPerAddress > 0;
}
