// Serializes what travels between workers inside opaque bytes: structured clone where that can carry it, what can be
// carried of it where not.

import { deserialize, serialize } from "node:v8";

/** Never throws: what neither a clone nor JSON can carry (functions, timers, a socket) is left out, wherever it stands. */
export function packPayload(value: unknown): Buffer {
  try {
    return serialize(value);
  } catch {
    return serialize(portable(value, new Set()));
  }
}

export function unpackPayload<T>(bytes: Buffer): T {
  return deserialize(bytes) as T;
}

/** `value` without what cannot be carried; `undefined` when that is all of it. */
function portable(value: unknown, parents: ReadonlySet<unknown>): unknown {
  if (isCloneable(value)) return value;
  if (parents.has(value)) return undefined;
  const within = new Set(parents).add(value);
  if (Array.isArray(value)) return value.map((child) => portable(child, within) ?? null);
  if (!isPlainObject(value)) return throughJson(value);
  if (typeof value.toJSON === "function") return throughJson(value);
  const carried = Object.entries(value).flatMap(([key, child]) => {
    const part = portable(child, within);
    return part === undefined ? [] : [[key, part]];
  });
  return Object.fromEntries(carried);
}

function isCloneable(value: unknown): boolean {
  try {
    serialize(value);
    return true;
  } catch {
    return false;
  }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function throughJson(value: unknown): unknown {
  try {
    const text: string | undefined = JSON.stringify(value);
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
