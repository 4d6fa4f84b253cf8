// Sockets whose client has not been told CONNECT yet, or whose app is about to say something that has to come first: what
// the hub sends them meanwhile waits here, in order. A socket that was restored begins with the messages it missed.

import type { WireMessage } from "./delivery.ts";

interface HeldSocket {
  readonly messages: WireMessage[];
  readonly isRestored: boolean;
}

/** One `holdBack`. */
export type HeldBack = Pick<HeldSocket, "messages">;

export class HeldSockets {
  readonly #held = new Map<string, HeldSocket>();

  /** Holds a new socket. */
  hold(sid: string): void {
    this.#held.set(sid, { messages: [], isRestored: false });
  }

  /** Holds a socket that was restored, with what it missed. */
  holdRestored(sid: string, missed: readonly WireMessage[]): void {
    this.#held.set(sid, { messages: [...missed], isRestored: true });
  }

  /** Holds a socket that is not held, until `letGo`; `undefined` when it is. */
  holdBack(sid: string): HeldBack | undefined {
    if (this.#held.has(sid)) return undefined;
    this.hold(sid);
    return this.#held.get(sid);
  }

  /** Ends that `holdBack`, if it has not ended otherwise. Returns what waited, in order. */
  letGo(sid: string, held: HeldBack): readonly WireMessage[] {
    if (this.#held.get(sid) !== held) return [];
    this.#held.delete(sid);
    return held.messages;
  }

  /** Keeps the message when the socket is held; `false` when it is not and the message is the caller's. */
  keep(sid: string, message: WireMessage): boolean {
    if (this.#held.size === 0) return false;
    const held = this.#held.get(sid);
    held?.messages.push(message);
    return held !== undefined;
  }

  isRestored(sid: string): boolean {
    return this.#held.get(sid)?.isRestored === true;
  }

  /** Lets the socket go; resolves to what waited, in order. */
  release(sid: string): { readonly messages: readonly WireMessage[]; readonly isRestored: boolean } | undefined {
    const held = this.#held.get(sid);
    this.#held.delete(sid);
    return held;
  }
}
