// Which pages may connect: browsers say in the Origin header where a page came from, and cannot be made to lie.

export interface OriginClaim {
  /** The Origin header. */
  readonly origin: string | undefined;
  /** The Host header. */
  readonly host: string | undefined;
  /** Whether the answer is a script (JSONP): a <script> element of any page can ask for it, and sends no Origin. */
  readonly isScript: boolean;
}

/**
 * Decides about one request. `allowed` is the option `limits.origins`; its word `same` means the host that was asked.
 * Without an Origin header it was no page of another site that asked: programs are let in.
 */
export function isOriginAllowed(allowed: readonly string[], { origin, host, isScript }: OriginClaim): boolean {
  if (origin === undefined) return !isScript;
  return allowed.some((entry) => (entry === "same" ? isSameHost(origin, host) : isSameText(origin, entry)));
}

/** Browsers write an origin in one way only: lower case, no default port, no slash at the end. */
function isSameText(origin: string, entry: string): boolean {
  return origin.toLowerCase() === entry.toLowerCase();
}

/** By host and port alone: behind a proxy that ends TLS the scheme of the request is not the page's. */
function isSameHost(origin: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(origin)) return false;
  const page = new URL(origin);
  const asked = `${page.protocol}//${host}`;
  return URL.canParse(asked) && new URL(asked).host === page.host;
}
