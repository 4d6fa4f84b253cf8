// Sockets whose client has not been told CONNECT yet: what the hub sends them meanwhile waits here, in order.
// A socket that was restored begins with the messages it missed.

import type { WireMessage } from "./delivery.ts";

interface HeldSocket {
  readonly messages: WireMessage[];
  /** Rooms the hub restored the socket in; joining them again is no news to it. Empty for a new socket. */
  readonly rooms: ReadonlySet<string>;
  readonly isRestored: boolean;
}

export class HeldSockets {
  readonly #held = new Map<string, HeldSocket>();

  /** Holds a new socket. */
  hold(sid: string): void {
    this.#held.set(sid, { messages: [], rooms: new Set(), isRestored: false });
  }

  /** Holds a socket that was restored, with what it missed. */
  holdRestored(sid: string, rooms: readonly string[], missed: readonly WireMessage[]): void {
    this.#held.set(sid, { messages: [...missed], rooms: new Set(rooms), isRestored: true });
  }

  /** Keeps the message when the socket is held; `false` when it is not and the message is the caller's. */
  keep(sid: string, message: WireMessage): boolean {
    const held = this.#held.get(sid);
    held?.messages.push(message);
    return held !== undefined;
  }

  isRestored(sid: string): boolean {
    return this.#held.get(sid)?.isRestored === true;
  }

  /** Whether the hub itself put the socket into the room. */
  wasRestoredIn(sid: string, room: string): boolean {
    return this.#held.get(sid)?.rooms.has(room) === true;
  }

  /** Lets the socket go; resolves to what waited, in order. */
  release(sid: string): { readonly messages: readonly WireMessage[]; readonly isRestored: boolean } | undefined {
    const held = this.#held.get(sid);
    this.#held.delete(sid);
    return held;
  }
}
