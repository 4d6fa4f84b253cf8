// Frames that wait to be written, copied back to back: one write takes them all, and whoever made a frame may go on using
// its bytes.

/** Large enough for what gathers in a tick, small enough to be thrown away with a few unused bytes at its end. */
const SLAB_BYTES = 262_144;
/** Larger frames are not copied. */
const COPY_BELOW = 16_384;

export class Outgoing {
  #slab = Buffer.alloc(0);
  /** What waits in the slab. */
  #start = 0;
  #end = 0;
  /** What waits before it. */
  #parts: Buffer[] = [];
  #partBytes = 0;
  #frames = 0;

  /** Frames that wait. */
  get frames(): number {
    return this.#frames;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#partBytes + this.#end - this.#start;
  }

  /** A large frame must not change any more. */
  add(frame: Buffer): void {
    this.#frames++;
    if (frame.length >= COPY_BELOW) {
      this.#endPart();
      this.#push(frame);
      return;
    }
    if (this.#end + frame.length > this.#slab.length) {
      this.#endPart();
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#start = 0;
      this.#end = 0;
    }
    this.#slab.set(frame, this.#end);
    this.#end += frame.length;
  }

  /** Takes all that waits, in order. */
  take(): readonly Buffer[] {
    this.#endPart();
    const parts = this.#parts;
    this.#parts = [];
    this.#partBytes = 0;
    this.#frames = 0;
    return parts;
  }

  /** What was taken has been written, all of it: its memory is used again, still warm. */
  reuse(): void {
    if (this.bytes > 0) return;
    this.#start = 0;
    this.#end = 0;
  }

  #endPart(): void {
    if (this.#end === this.#start) return;
    this.#push(this.#slab.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #push(part: Buffer): void {
    this.#parts.push(part);
    this.#partBytes += part.length;
  }
}
