// Who is in the room, kept up to date from one state and the diffs that follow it. No document in here.

import type { PresenceDiff, PresenceMember, PresenceState } from "./protocol.ts";

export interface Person {
  readonly user: string;
  readonly name: string;
  /** Tabs and devices. */
  readonly count: number;
}

export class Roster {
  readonly #people = new Map<string, Person>();
  #version = 0;

  /** By name. */
  get people(): readonly Person[] {
    return [...this.#people.values()].sort((a, b) => a.name.localeCompare(b.name) || (a.user < b.user ? -1 : 1));
  }

  nameOf(user: string): string | undefined {
    return this.#people.get(user)?.name;
  }

  reset({ version, members }: PresenceState): void {
    this.#version = version;
    this.#people.clear();
    for (const member of members) this.#put(member);
  }

  /** Returns `false` when a diff is missing, so that the state has to be asked for again. */
  apply(diff: PresenceDiff): boolean {
    if (diff.version <= this.#version) return true;
    if (diff.version !== this.#version + 1) return false;

    this.#version = diff.version;
    for (const member of [...diff.joined, ...diff.updated]) this.#put(member);
    for (const user of diff.left) this.#people.delete(user);
    return true;
  }

  #put({ user, info, count }: PresenceMember): void {
    const { name } = Object(info) as { name?: unknown };
    this.#people.set(user, { user, name: typeof name === "string" ? name : "Somebody", count });
  }
}
