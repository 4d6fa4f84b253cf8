// Serializes what travels between workers inside opaque bytes: structured clone where that can carry it, JSON where not.

import { deserialize, serialize } from "node:v8";

/** Functions and other things that no clone can carry are left out, as JSON leaves them out. */
export function packPayload(value: unknown): Buffer {
  try {
    return serialize(value);
  } catch {
    return serialize(JSON.parse(JSON.stringify(value) ?? "null"));
  }
}

export function unpackPayload<T>(bytes: Buffer): T {
  return deserialize(bytes) as T;
}
