// The changes of rooms that this worker has made and told the hub, and that have no place in the box's order yet.
// What the hub moves meanwhile came before them in that order, so they have the last word.

import type { HubLink } from "./hub-link.ts";

interface RoomChange {
  readonly ticket: number;
  /** The socket, as the hub knows it: one that came back has another key, and what it did before counts no more. */
  readonly key: number;
  readonly rooms: readonly string[];
}

export class RoomChanges {
  readonly #link: Pick<HubLink, "hasPassed">;
  /** In order of tickets. */
  #underWay: RoomChange[] = [];

  constructor(link: Pick<HubLink, "hasPassed">) {
    this.#link = link;
  }

  /** The socket has joined or left the rooms, and the hub was told under the ticket. */
  add(ticket: number, key: number, rooms: readonly string[]): void {
    this.#forgetPassed();
    this.#underWay.push({ ticket, key, rooms });
  }

  /** Whether the socket's being in the room was changed after the place that the box is at. */
  isUnderWay(key: number, room: string): boolean {
    this.#forgetPassed();
    return this.#underWay.some((change) => change.key === key && change.rooms.includes(room));
  }

  #forgetPassed(): void {
    const [first] = this.#underWay;
    if (first === undefined || !this.#link.hasPassed(first.ticket)) return;
    const next = this.#underWay.findIndex(({ ticket }) => !this.#link.hasPassed(ticket));
    this.#underWay = next === -1 ? [] : this.#underWay.slice(next);
  }
}
