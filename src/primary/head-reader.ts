// Collects the head of a connection's first request, chunk by chunk, up to a bound.
// It finds the end (RFC 9112, section 2.1) and refuses at once what can never become a head; it interprets nothing.

const CR = 0x0d;
const LF = 0x0a;

export type HeadProgress = "more" | "complete" | "malformed" | "tooLarge";

export class HeadReader {
  readonly #maxBytes: number;
  readonly #chunks: Buffer[] = [];
  #headBytes = 0;
  /** Line ends in a row: two of them end the head, once a line has begun. */
  #lineEnds = 0;
  #hasBegun = false;
  #previous = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Everything read so far: the head, and whatever came in the same chunk behind it. */
  bytes(): Buffer {
    const [only] = this.#chunks;
    return this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
  }

  push(chunk: Buffer): HeadProgress {
    this.#chunks.push(chunk);
    for (const byte of chunk) {
      this.#headBytes++;
      if (this.#headBytes > this.#maxBytes) return "tooLarge";
      const progress = this.#take(byte);
      if (progress !== "more") return progress;
    }
    return "more";
  }

  #take(byte: number): HeadProgress {
    const previous = this.#previous;
    this.#previous = byte;
    if (byte === LF) {
      // A bare LF is where parsers disagree and requests get smuggled.
      if (previous !== CR) return "malformed";
      this.#lineEnds++;
      return this.#hasBegun && this.#lineEnds === 2 ? "complete" : "more";
    }
    if (previous === CR) return "malformed";
    if (byte === CR) return "more";

    this.#lineEnds = 0;
    if (!this.#hasBegun && !isMethodByte(byte)) return "malformed";
    this.#hasBegun = true;
    return byte === 0 ? "malformed" : "more";
  }
}

/** A request begins with a letter; a TLS handshake, for one, does not. */
function isMethodByte(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}
