// WebSocket frames as a client needs them (RFC 6455): writes masked text frames, reads unmasked ones.
// By hand, because the load side must cost less than the server: a general receiver costs several times as much.
// Not spoken, and refused: compression, fragmented messages (no server sends them unasked for).

export const FRAME = { text: 1, close: 8, ping: 9, pong: 10 } as const;

const FIN = 0x80;
const MASKED = 0x80;
const MAX_FRAME_BYTES = 64 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);

/** What a reader hands out. The buffer is only valid during the call. */
export interface FrameSink {
  onText(buffer: Buffer, start: number, end: number): void;
  onPing(data: Buffer): void;
  onClose(code: number): void;
  /** The server broke the protocol; nothing more is read. */
  onProtocolError(reason: string): void;
}

/** Bytes of the head that `encodeFrame` puts before a payload of this length. */
export function frameHeadBytes(payloadBytes: number): number {
  return payloadBytes < 126 ? 6 : payloadBytes < 65_536 ? 8 : 14;
}

/** One whole masked frame. `mask` has four bytes. */
export function encodeFrame(opcode: number, payload: Uint8Array, mask: Uint8Array): Buffer {
  const headBytes = frameHeadBytes(payload.length);
  const frame = Buffer.allocUnsafe(headBytes + payload.length);
  frame[0] = FIN | opcode;
  if (headBytes === 6) {
    frame[1] = MASKED | payload.length;
  } else if (headBytes === 8) {
    frame[1] = MASKED | 126;
    frame.writeUInt16BE(payload.length, 2);
  } else {
    frame[1] = MASKED | 127;
    frame.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  frame.set(mask, headBytes - 4);
  for (let i = 0; i < payload.length; i++) {
    frame[headBytes + i] = (payload[i] as number) ^ (mask[i & 3] as number);
  }
  return frame;
}

/** Cuts a TCP stream into frames, however the segments fall. */
export class FrameReader {
  readonly #sink: FrameSink;
  #kept = EMPTY;
  #isStopped = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Reads what is between `from` and `to`. The buffer may be used again afterwards: an incomplete frame is copied. */
  push(buffer: Buffer, from: number, to: number): void {
    if (this.#kept.length === 0) {
      this.#readAll(buffer, from, to);
      return;
    }
    const whole = Buffer.concat([this.#kept, buffer.subarray(from, to)]);
    this.#kept = EMPTY;
    this.#readAll(whole, 0, whole.length);
  }

  /** Hands out nothing more, not even the rest of what was pushed. */
  stop(): void {
    this.#isStopped = true;
  }

  #readAll(buffer: Buffer, from: number, to: number): void {
    let at = from;
    while (!this.#isStopped && at < to) {
      const next = this.#readFrame(buffer, at, to);
      if (next < 0) {
        this.#kept = Buffer.from(buffer.subarray(at, to));
        return;
      }
      at = next;
    }
  }

  /** Where the next frame begins, or -1 when this one is not all there. */
  #readFrame(buffer: Buffer, at: number, to: number): number {
    if (to - at < 2) return -1;
    const first = buffer[at] as number;
    let length = buffer[at + 1] as number;
    let start = at + 2;
    if (length === 126) {
      if (to - at < 4) return -1;
      length = buffer.readUInt16BE(at + 2);
      start = at + 4;
    } else if (length === 127) {
      if (to - at < 10) return -1;
      length = buffer.readUInt32BE(at + 2) * 2 ** 32 + buffer.readUInt32BE(at + 6);
      start = at + 10;
    } else if (length > 127) {
      return this.#refuse("a masked frame", to);
    }
    if (length > MAX_FRAME_BYTES) return this.#refuse(`a frame of ${length} bytes`, to);
    const end = start + length;
    if (end > to) return -1;
    return this.#handOut(first, buffer, start, end) ? end : to;
  }

  #handOut(first: number, buffer: Buffer, start: number, end: number): boolean {
    switch (first) {
      case FIN | FRAME.text:
        this.#sink.onText(buffer, start, end);
        return true;
      case FIN | FRAME.ping:
        this.#sink.onPing(buffer.subarray(start, end));
        return true;
      case FIN | FRAME.close:
        this.stop();
        this.#sink.onClose(end - start >= 2 ? buffer.readUInt16BE(start) : 1005);
        return true;
      case FIN | FRAME.pong:
        return true;
      default:
        this.#refuse(`a frame that begins with 0x${first.toString(16)}`, end);
        return false;
    }
  }

  #refuse(what: string, to: number): number {
    this.stop();
    this.#sink.onProtocolError(`the server sent ${what}`);
    return to;
  }
}
