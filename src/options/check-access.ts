// Rules for the options that decide who may come in.

import { AllcoresError, InvalidOptionError } from "../errors.ts";

/** RFC 7518, section 3.2: a key is at least as long as the hash it is used with. */
export function checkSecret(secret: string, algorithms: readonly string[]): void {
  const minBytes = Math.max(...algorithms.map((algorithm) => Number(algorithm.slice(2)) / 8));
  if (secret === "" || Buffer.byteLength(secret) >= minBytes) return;
  throw new AllcoresError(
    "ALLCORES_ERR_INVALID_OPTION",
    `auth.jwtSecret must have at least ${minBytes} bytes for ${algorithms.join(", ")} (RFC 7518, section 3.2). ` +
      `\`openssl rand -base64 ${minBytes}\` makes one.`,
  );
}

export function checkOrigins(origins: readonly string[]): void {
  const expected = "`same`, or scheme, host and port as in https://chat.example";
  for (const origin of origins) {
    if (origin !== "same" && !isOrigin(origin)) throw new InvalidOptionError("limits.origins", expected, origin);
  }
}

/** As browsers write it: no path, no default port. Schemes that are not the web's (`capacitor:`) count as "null" there. */
function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^/?#\s]+$/i.test(text) || !URL.canParse(text)) return false;
  return [text.toLowerCase(), "null"].includes(new URL(text).origin);
}
