// A snapshot as the opaque body of a bus message. V8's format, because JSON has neither NaN nor Infinity and both are
// values that a gauge may have.

import { deserialize, serialize } from "node:v8";
import type { Snapshot } from "./family.ts";

export function encodeSnapshot(snapshot: Snapshot): Buffer {
  return serialize(snapshot);
}

/** `undefined` for bytes that are no snapshot. */
export function decodeSnapshot(body: Buffer): Snapshot | undefined {
  try {
    const value: unknown = deserialize(body);
    return Array.isArray(value) ? (value as Snapshot) : undefined;
  } catch {
    return undefined;
  }
}
