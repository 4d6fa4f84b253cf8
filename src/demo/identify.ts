// Decides who somebody is to the others. A token says it; without one, a random key that the browser keeps does:
// it makes all tabs of a browser one person, and nobody can be somebody else by taking their name.

import { createHash } from "node:crypto";
import type { Author, JoinRequest } from "./page/protocol.ts";

/** `subject` is the `sub` of a token that the box has checked. */
export function identify({ name, key }: Pick<JoinRequest, "name" | "key">, subject?: unknown): Author {
  const secret = subject === undefined ? `key:${key}` : `sub:${subject}`;
  // The key stays secret: others see a digest of it.
  return { user: createHash("sha256").update(secret).digest("base64url").slice(0, 16), name };
}
