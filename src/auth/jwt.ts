// Signed tokens (RFC 7519) with a shared secret. The one file that imports jose.

import { createSecretKey, type KeyObject } from "node:crypto";
import { errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import type { Options } from "../options/options.ts";

export type Claims = JWTPayload;

/** Two clocks may differ by this much before a token counts as expired or as not valid yet. */
export const CLOCK_TOLERANCE_SECONDS = 5;

/** A token is `valid` with its claims, or it is refused: `message` is for the client. */
export type Verdict =
  | { readonly kind: "valid"; readonly claims: Claims }
  | { readonly kind: "expired" | "invalid"; readonly message: string };

/** Whether clients must show a token. */
export function authIsOn(options: Options): boolean {
  return options.auth.jwtSecret !== "";
}

/** Makes the function that checks tokens: signature, algorithm, `exp`, `nbf`, and `iss` and `aud` where options name them. */
export function createVerifier(auth: Options["auth"]): (token: string) => Promise<Verdict> {
  const key = secretKey(auth);
  const expected = {
    algorithms: [...auth.jwtAlgorithms],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    ...(auth.jwtIssuer !== "" && { issuer: auth.jwtIssuer }),
    ...(auth.jwtAudience !== "" && { audience: auth.jwtAudience }),
  };
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, key, expected);
      return { kind: "valid", claims: payload };
    } catch (error) {
      return explain(error);
    }
  };
}

export interface SignedToken {
  readonly token: string;
  /** What is in it, `iat` and `exp` included. */
  readonly claims: Claims & { readonly exp: number };
}

/** A token as `createVerifier` with the same options takes it, good for `lifetimeSeconds` from now. */
export async function signToken(auth: Options["auth"], own: Claims, lifetimeSeconds: number): Promise<SignedToken> {
  const [alg = "HS256"] = auth.jwtAlgorithms;
  const iat = Math.floor(Date.now() / 1000);
  const claims = {
    ...(auth.jwtIssuer !== "" && { iss: auth.jwtIssuer }),
    ...(auth.jwtAudience !== "" && { aud: auth.jwtAudience }),
    ...own,
    iat,
    exp: iat + lifetimeSeconds,
  };
  const token = await new SignJWT(claims).setProtectedHeader({ alg, typ: "JWT" }).sign(secretKey(auth));
  return { token, claims };
}

function secretKey(auth: Options["auth"]): KeyObject {
  return createSecretKey(Buffer.from(auth.jwtSecret));
}

function explain(error: unknown): Verdict {
  if (error instanceof errors.JWTExpired) {
    return { kind: "expired", message: "The token has expired. Get a new one and connect again." };
  }
  return { kind: "invalid", message: `The token is invalid: ${faultOf(error)}.` };
}

function faultOf(error: unknown): string {
  if (error instanceof errors.JWTClaimValidationFailed) return `its \`${error.claim}\` is missing or not accepted here`;
  if (error instanceof errors.JWSSignatureVerificationFailed) return "its signature does not match";
  if (error instanceof errors.JOSEAlgNotAllowed) return "its algorithm is not accepted here";
  return "it cannot be read as a JWT";
}
