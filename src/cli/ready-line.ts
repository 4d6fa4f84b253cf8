// The first line on stdout: where the box is, and what a newcomer should know about how it runs.

import type { Options } from "../options/options.ts";
import type { BoxStatus } from "../primary/status.ts";

/** "allcores ready on http://HOST:PORT with ...". A box that listens everywhere is shown as localhost. */
export function readyLine({ url, adminUrl, workers }: BoxStatus, { auth }: Options): string {
  const people = auth.jwtSecret === "" ? "everybody is let in (no ALLCORES_AUTH_JWT_SECRET)" : "clients need a token";
  const count = workers.length === 1 ? "1 worker" : `${workers.length} workers`;
  return `allcores ready on ${reachable(url)} with ${count}, ${people}, admin ${adminUrl}\n`;
}

function reachable(url: string): string {
  return url.replace(/^http:\/\/(0\.0\.0\.0|\[::\])(?=:|$)/, "http://localhost");
}
