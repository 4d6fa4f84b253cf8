// Who a client is, asked at each namespace's CONNECT: a token in the payload's `token`, or in the Authorization header of
// the connection's first request. The header alone is what EIO3 clients and bots have; the payload is what a page has.

import { AllcoresError } from "../errors.ts";
import type { Options } from "../options/options.ts";
import { CLOCK_TOLERANCE_SECONDS, type Claims, createVerifier } from "./jwt.ts";

/** What a client showed. */
export interface Credentials {
  /** The payload of the CONNECT packet. */
  readonly auth: unknown;
  /** The Authorization header. */
  readonly authorization: string | undefined;
}

export interface Identity {
  readonly claims: Claims;
  /** When the token stops being good, in milliseconds of `Date.now()`. `undefined`: never. */
  readonly expiresAtMs: number | undefined;
}

export type AuthFailure = "missing" | "expired" | "invalid";

/** Thrown for a client that is not let in; `failure` is for programs, `message` for people. */
export class UnauthorizedError extends AllcoresError {
  readonly failure: AuthFailure;

  constructor(failure: AuthFailure, message: string) {
    super("ALLCORES_ERR_UNAUTHORIZED", message);
    this.failure = failure;
  }
}

/** Rejects with an `UnauthorizedError`. */
export type Authenticate = (credentials: Credentials) => Promise<Identity>;

/** A token is read in full before its signature is known to be good: longer ones are not tokens. */
const MAX_TOKEN_LENGTH = 16_384;

export function createAuthenticator(options: Options["auth"]): Authenticate {
  const verify = createVerifier(options);
  return async (credentials) => {
    const token = readToken(credentials);
    const verdict = await verify(token);
    if (verdict.kind !== "valid") throw new UnauthorizedError(verdict.kind, verdict.message);
    const { claims } = verdict;
    return { claims, expiresAtMs: claims.exp === undefined ? undefined : expiryOf(claims.exp) };
  };
}

function readToken({ auth, authorization }: Credentials): string {
  const token = (Object(auth) as { token?: unknown }).token ?? bearerOf(authorization);
  if (token === undefined || token === "") {
    throw new UnauthorizedError(
      "missing",
      "A token is missing: send one as `auth.token`, or in the header `Authorization: Bearer`.",
    );
  }
  if (typeof token !== "string" || token.length > MAX_TOKEN_LENGTH) {
    throw new UnauthorizedError(
      "invalid",
      `The token is invalid: it must be text of up to ${MAX_TOKEN_LENGTH} characters.`,
    );
  }
  return token;
}

function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
}

function expiryOf(exp: number): number {
  return (exp + CLOCK_TOLERANCE_SECONDS) * 1000;
}
