// Names and infos come from clients: what is too large, or no JSON, is refused before it goes anywhere.

import { AllcoresError } from "../errors.ts";

export interface PresenceUser {
  /** Who it is. All connections of one name count as one user. */
  readonly user: string;
  /** What others may know about the user, as JSON. The latest join decides. */
  readonly info?: unknown;
}

export interface PresenceBounds {
  readonly maxNameLength: number;
  readonly maxInfoBytes: number;
}

export function checkRoom(room: unknown, bounds: PresenceBounds): void {
  checkName("room", room, bounds);
}

/** Returns the info as the plain JSON value that it will be everywhere. */
export function checkUser({ user, info }: PresenceUser, bounds: PresenceBounds): { readonly info?: unknown } {
  checkName("user", user, bounds);
  if (info === undefined) return {};
  const json = toJson(info);
  if (json === undefined) throw refusal("`info` must be a value that JSON can express.");
  const bytes = Buffer.byteLength(json);
  if (bytes > bounds.maxInfoBytes) {
    throw refusal(`\`info\` has ${bytes} bytes of JSON, more than presence.maxInfoBytes (${bounds.maxInfoBytes}).`);
  }
  return { info: JSON.parse(json) };
}

function checkName(what: "room" | "user", name: unknown, { maxNameLength }: PresenceBounds): void {
  if (typeof name !== "string" || name === "") throw refusal(`\`${what}\` must be a text that is not empty.`);
  if (name.length > maxNameLength) {
    throw refusal(`\`${what}\` has ${name.length} characters, more than presence.maxNameLength (${maxNameLength}).`);
  }
}

/** Throws nothing: cycles, big integers and getters that throw are all no JSON. */
function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function refusal(message: string): AllcoresError {
  return new AllcoresError("ALLCORES_ERR_PRESENCE_REFUSED", `Presence refused the join: ${message}`);
}
