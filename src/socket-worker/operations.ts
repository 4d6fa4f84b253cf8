// What is done to many sockets at one place of the order: moves between rooms, which the hub works out, and things that
// every worker does for its own sockets.

import type { BroadcastOptions, ClusterMessage, MessageType } from "socket.io-adapter";
import type { HubMovedMessage, HubOperation } from "../bus/hub-messages.ts";
import type { BoxBus } from "./box-bus.ts";
import type { OwnSockets } from "./own-sockets.ts";
import { packPayload } from "./payload.ts";
import type { Recipients } from "./recipients.ts";

export interface OperationsOptions {
  readonly bus: BoxBus;
  readonly uid: string;
  readonly namespace: string;
  readonly own: OwnSockets;
  readonly recipients: Recipients;
  /** Puts a socket into rooms that the hub has it in already. */
  readonly enter: (id: string, rooms: Set<string>) => void;
  /** Takes it out of one. */
  readonly exit: (id: string, room: string) => void;
}

export class Operations {
  readonly #options: OperationsOptions;

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  move(operation: "join" | "leave", options: BroadcastOptions, rooms: readonly string[]): void {
    const { bus, namespace } = this.#options;
    const target = { rooms: [...options.rooms], except: [...(options.except ?? [])] };
    bus.link.send({ type: "hub:move", namespace, operation, target, rooms });
  }

  /** Sockets of ours that somebody's `socketsJoin` or `socketsLeave` concerns, at its place. The hub has it down already. */
  onMoved({ operation, sids, rooms }: HubMovedMessage): void {
    const { own, recipients, enter, exit } = this.#options;
    for (const id of sids) {
      if (operation === "join") recipients.entered(id, rooms);
      else recipients.left(id, rooms);
      const changed = own.movable(id, rooms);
      if (changed.length === 0) continue;
      if (operation === "join") enter(id, new Set(changed));
      else for (const room of changed) exit(id, room);
    }
  }

  /** `apply` does it here, at its place. */
  tellOthers(operation: HubOperation, type: MessageType, data: object, apply?: () => void): void {
    const { uid, namespace: nsp } = this.#options;
    this.send(operation, { type, uid, nsp, data } as ClusterMessage, apply);
  }

  send(operation: HubOperation, message: ClusterMessage, apply?: () => void): void {
    const { bus, namespace } = this.#options;
    bus.link.send({ type: "hub:operation", namespace, operation }, apply, packPayload(message));
  }
}
