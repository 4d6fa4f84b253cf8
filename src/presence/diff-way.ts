// How the changes of a room get to the sockets that follow it, by the official adapter. The box's own adapter has a way
// of its own, which keeps them in order with messages.

import type { RoomDiff } from "../bus/presence-messages.ts";
import type { PresenceSocket } from "./local-room.ts";

export const DIFF_EVENT = "presence:diff";

export interface DiffWay {
  /** Sends the diff to sockets of one namespace. */
  send(sockets: readonly PresenceSocket[], diff: RoomDiff): void;
  /**
   * The app has just been given the state for the socket. What the socket would get next waits until the turn is over,
   * so that an answer with the state is sent before.
   */
  holdBack(socket: PresenceSocket): void;
  /**
   * Runs `act` when what the app does in this turn has its place: until then a socket that leaves hears what is said in
   * the room, and has to be told of who comes.
   */
  afterTurn(act: () => void): void;
}

export class BroadcastWay implements DiffWay {
  readonly #held = new Map<string, RoomDiff[]>();

  send(sockets: readonly PresenceSocket[], diff: RoomDiff): void {
    for (const { id } of sockets) this.#held.get(id)?.push(diff);
    broadcast(
      sockets.filter(({ id }) => !this.#held.has(id)),
      diff,
    );
  }

  afterTurn(act: () => void): void {
    act();
  }

  holdBack(socket: PresenceSocket): void {
    if (this.#held.has(socket.id)) return;
    const held: RoomDiff[] = [];
    this.#held.set(socket.id, held);
    setImmediate(() => {
      this.#held.delete(socket.id);
      for (const diff of held) broadcast([socket], diff);
    });
  }
}

/** To the sockets' own rooms, which encodes the diff once for all of them. */
function broadcast(sockets: readonly PresenceSocket[], diff: RoomDiff): void {
  const [first] = sockets;
  if (first === undefined) return;
  const operator = first.nsp.local.to(sockets.map(({ id }) => id));
  (operator as { emit(event: string, diff: RoomDiff): unknown }).emit(DIFF_EVENT, diff);
}
