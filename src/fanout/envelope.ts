// Workers encode what they have to say to other servers without saying who speaks: all workers of a box speak as one
// server. The primary puts the box's id in front here, byte by byte, and never has to decode the rest.

import { encodeMsgpack } from "./wire-format.ts";

const FIXARRAY = 0x90;
const SIZE_BITS = 0x0f;
const OPENING_BRACE = 0x7b;

export class Envelope {
  readonly #arrayItem: Buffer;
  readonly #mapEntry: Buffer;
  readonly #jsonEntry: Buffer;

  constructor(serverId: string) {
    this.#arrayItem = encodeMsgpack(serverId);
    this.#mapEntry = Buffer.concat([encodeMsgpack("uid"), this.#arrayItem]);
    this.#jsonEntry = Buffer.from(`"uid":${JSON.stringify(serverId)},`);
  }

  /** `[packet, opts]` becomes `[uid, packet, opts]`, `{ type }` becomes `{ uid, type }`; in msgpack or JSON, at most 14 entries. */
  seal(body: Uint8Array): Buffer {
    const first = body[0] ?? 0;
    const start = Buffer.from([first === OPENING_BRACE ? first : first + 1]);
    return Buffer.concat([start, this.#entryFor(first), body.subarray(1)]);
  }

  /** Whether this box sealed the message: what it publishes comes back to its own subscription. */
  isOwn(message: Buffer): boolean {
    const entry = this.#entryFor(message[0] ?? 0);
    return message.subarray(1, 1 + entry.length).equals(entry);
  }

  #entryFor(first: number): Buffer {
    if (first === OPENING_BRACE) return this.#jsonEntry;
    return (first & ~SIZE_BITS) === FIXARRAY ? this.#arrayItem : this.#mapEntry;
  }
}
