// Rules for the options that decide who may come in.

import { AllcoresError, InvalidOptionError } from "../errors.ts";
import { isNetwork } from "../lib/trusted-proxies.ts";

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

export function checkTrustedProxies(entries: readonly string[], proxyProtocol: boolean): void {
  const expected = "IP addresses, or networks like 10.0.0.0/8";
  for (const entry of entries) {
    if (!isNetwork(entry)) throw new InvalidOptionError("trustProxy", expected, entry);
  }
  if (!proxyProtocol || entries.length > 0) return;
  throw new AllcoresError(
    "ALLCORES_ERR_INVALID_OPTION",
    "proxyProtocol needs trustProxy: the addresses of the proxies that send its header.",
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
