// The first few problems of each kind, in words.

import { describeKey } from "./message-key.ts";

const MAX_OF_A_KIND = 4;

export class Examples {
  readonly #byKind = new Map<string, string[]>();

  /** `what` happened to a message at a member, such as "arrived twice": one kind of problem. */
  note({ client, room }: { readonly client: number; readonly room: number }, key: number, what: string): void {
    const examples = this.#byKind.get(what) ?? [];
    this.#byKind.set(what, examples);
    if (examples.length < MAX_OF_A_KIND) examples.push(`client ${client}, room ${room}: ${describeKey(key)} ${what}`);
  }

  list(): string[] {
    return [...this.#byKind.values()].flat();
  }
}
