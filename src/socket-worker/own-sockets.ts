// The sockets of one namespace on this worker as the hub knows them: by which key, in which rooms, with which data. The
// hub is told of each change here.

import type { Namespace, Socket } from "socket.io";
import type { BoxBus } from "./box-bus.ts";
import { RoomChanges } from "./room-changes.ts";
import { SessionData } from "./session-data.ts";
import { findSocket, socketInternals } from "./socket-io-internals.ts";

export class OwnSockets {
  readonly #nsp: Namespace;
  readonly #bus: BoxBus;
  readonly #keys = new Map<string, number>();
  readonly #changes: RoomChanges;
  readonly #data = new SessionData((id, bytes) => this.#tellData(id, bytes));

  constructor(nsp: Namespace, bus: BoxBus) {
    this.#nsp = nsp;
    this.#bus = bus;
    this.#changes = new RoomChanges(bus.link);
  }

  /** The hub's name for the socket, if it knows it. */
  keyOf(id: string): number | undefined {
    return this.#keys.get(id);
  }

  /** `atPlace` is called at its place in the order, if the socket is still there. */
  attach(id: string, atPlace: () => void): void {
    const key = this.#bus.nextKey();
    const socket = findSocket(this.#nsp, id);
    const pid = socket && socketInternals(socket).pid;
    this.#keys.set(id, key);
    const identity = { namespace: this.#nsp.name, sid: id, ...(pid !== undefined && { pid }) };
    this.#bus.link.send({ type: "hub:attach", key, ...identity }, () => this.#ifHere(id, key, atPlace));
  }

  /** The hub has moved the session here, under this key. */
  restored(id: string, key: number): void {
    this.#keys.set(id, key);
  }

  detach(id: string, key: number, isRecoverable: boolean): void {
    this.#bus.link.tell({ type: "hub:detach", key, isRecoverable });
    this.#keys.delete(id);
    this.#data.forget(id);
  }

  /**
   * `atPlace` is called at its place in the order, if the socket is still there. Resolves then, or when it would have been;
   * never rejects. `undefined` when the hub does not know the socket.
   */
  changeRooms(
    type: "hub:join" | "hub:leave",
    id: string,
    rooms: readonly string[],
    atPlace: () => void,
  ): Promise<void> | undefined {
    const key = this.#keys.get(id);
    if (key === undefined) return undefined;
    return new Promise((resolve) => {
      const ticket = this.#bus.link.send({ type, key, rooms }, () => {
        this.#ifHere(id, key, atPlace);
        resolve();
      });
      this.#changes.add(ticket, key, rooms);
    });
  }

  /** Which of the rooms a move concerns that is at its place now: a change made here after that has the last word. */
  movable(id: string, rooms: readonly string[]): readonly string[] {
    const key = this.#keys.get(id);
    return key === undefined ? [] : rooms.filter((room) => !this.#changes.isUnderWay(key, room));
  }

  saveData(id: string, data: unknown): void {
    this.#data.save(id, data);
  }

  /** The socket's handlers may have changed its data. */
  touchData(socket: Socket): void {
    this.#data.touch(socket);
  }

  /** A socket that was restored has the id of one that has gone, and another key. */
  #ifHere(id: string, key: number, act: () => void): void {
    if (this.#keys.get(id) === key) act();
  }

  #tellData(id: string, bytes: Buffer): void {
    const key = this.#keys.get(id);
    if (key !== undefined) this.#bus.link.tell({ type: "hub:data", key }, bytes);
  }
}
