// A client's half of Socket.IO's connection state recovery, as the stock client has it: it keeps the private session id
// and the last argument of each event if that is a string, and shows both when it comes back.

const QUOTE = 34;
const BRACKET = 93;

export class Session {
  #pid: string | undefined;
  #offset = Buffer.alloc(64);
  #offsetBytes = 0;

  /** The CONNECT packet, with what is needed for a recovery if there is any. */
  connectPacket(auth: unknown): string {
    if (this.#pid === undefined || this.#offsetBytes === 0)
      return auth === undefined ? "40" : `40${JSON.stringify(auth)}`;
    const offset = this.#offset.toString("utf8", 0, this.#offsetBytes);
    return `40${JSON.stringify({ pid: this.#pid, offset, ...(auth as object | undefined) })}`;
  }

  /** Reads the CONNECT reply; true when the server took the session up again. */
  accept(reply: string): boolean {
    const { pid } = JSON.parse(reply) as { pid?: string };
    const isRecovered = pid !== undefined && pid === this.#pid;
    if (!isRecovered) this.#offsetBytes = 0;
    this.#pid = pid;
    return isRecovered;
  }

  /** Remembers the offset of an event that ends at `end`. Copies a few bytes and parses nothing: it is the hot path. */
  noteEvent(buffer: Buffer, start: number, end: number): void {
    if (this.#pid === undefined || buffer[end - 1] !== BRACKET || buffer[end - 2] !== QUOTE) return;
    let from = end - 2;
    while (from > start && buffer[from - 1] !== QUOTE) from--;
    const bytes = end - 2 - from;
    if (bytes > this.#offset.length) this.#offset = Buffer.alloc(bytes * 2);
    for (let i = 0; i < bytes; i++) this.#offset[i] = buffer[from + i] as number;
    this.#offsetBytes = bytes;
  }
}
