import { AllcoresError } from "../errors.ts";

const MAX_S = 86_400;

/** The value of a flag that takes a number of seconds, a day at most. Throws `ALLCORES_ERR_USAGE`. */
export function readSeconds(flag: string, value: string | boolean): number {
  const seconds = Number(value);
  if (seconds > 0 && seconds <= MAX_S) return seconds;
  throw new AllcoresError("ALLCORES_ERR_USAGE", `${flag} must be a number of seconds up to ${MAX_S}, got "${value}".`);
}
