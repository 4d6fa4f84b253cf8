// The frames of the bus: what travels between the primary, the socket workers and the cpu process.
//
//   u32 length of the rest | u8 kind | payload            (big endian)
//
// Kind 1 carries a message of messages.ts:  u32 length of the JSON | JSON | body (opaque bytes, may be empty)

import { AllcoresError } from "../errors.ts";

export const FRAME_KIND = { message: 1 } as const;

const LENGTH_BYTES = 4;
/** Where a frame's payload begins. */
export const HEADER_BYTES = LENGTH_BYTES + 1;
const EMPTY = Buffer.alloc(0);

/** A frame of `kind` with room for its payload, which begins at `HEADER_BYTES`. */
export function allocateFrame(kind: number, payloadBytes: number): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payloadBytes);
  frame.writeUInt32BE(payloadBytes + 1, 0);
  frame[LENGTH_BYTES] = kind;
  return frame;
}

/** Builds a whole message frame from its JSON text and its body. */
export function encodeMessageFrame(json: string, body: Uint8Array = EMPTY): Buffer {
  const jsonBytes = Buffer.byteLength(json);
  const frame = allocateFrame(FRAME_KIND.message, 4 + jsonBytes + body.length);
  frame.writeUInt32BE(jsonBytes, HEADER_BYTES);
  frame.write(json, HEADER_BYTES + 4);
  frame.set(body, HEADER_BYTES + 4 + jsonBytes);
  return frame;
}

/** Takes a message frame apart. Throws `ALLCORES_ERR_BUS_FRAME` when it is none. */
export function decodeMessageFrame(frame: Buffer): { value: unknown; body: Buffer } {
  const textAt = HEADER_BYTES + 4;
  const bodyAt = textAt + (frame.length >= textAt ? frame.readUInt32BE(HEADER_BYTES) : Number.NaN);
  if (!(bodyAt <= frame.length)) throw frameError("a message frame is shorter than it says");
  try {
    const value: unknown = JSON.parse(frame.toString("utf8", textAt, bodyAt));
    return { value, body: frame.subarray(bodyAt) };
  } catch (error) {
    throw frameError("a message frame has no valid JSON", error);
  }
}

/** Cuts a stream of chunks into frames. Copies only frames that are split over chunks. */
export class FrameReader {
  readonly #maxFrameBytes: number;
  readonly #onFrame: (kind: number, frame: Buffer) => void;
  #rest: Buffer[] = [];
  #restBytes = 0;
  #wanted = HEADER_BYTES;

  /** A frame longer than `maxFrameBytes` is an error, before it is buffered. */
  constructor(maxFrameBytes: number, onFrame: (kind: number, frame: Buffer) => void) {
    this.#maxFrameBytes = maxFrameBytes;
    this.#onFrame = onFrame;
  }

  /** Hands every frame that `chunk` completes to `onFrame`, header and all. Throws `ALLCORES_ERR_BUS_FRAME`: close the connection then. */
  push(chunk: Buffer): void {
    if (this.#restBytes + chunk.length < this.#wanted) {
      this.#keep(chunk);
      return;
    }
    const data = this.#restBytes === 0 ? chunk : Buffer.concat([...this.#rest, chunk]);
    this.#rest = [];
    this.#restBytes = 0;
    this.#keep(data.subarray(this.#readAll(data)));
  }

  #readAll(data: Buffer): number {
    let offset = 0;
    while (data.length - offset >= HEADER_BYTES) {
      const bytes = data.readUInt32BE(offset);
      if (bytes < 1 || bytes > this.#maxFrameBytes) throw frameError(`a frame of ${bytes} bytes is not allowed`);
      if (data.length - offset < LENGTH_BYTES + bytes) {
        this.#wanted = LENGTH_BYTES + bytes;
        return offset;
      }
      this.#onFrame(data.readUInt8(offset + LENGTH_BYTES), data.subarray(offset, offset + LENGTH_BYTES + bytes));
      offset += LENGTH_BYTES + bytes;
    }
    this.#wanted = HEADER_BYTES;
    return offset;
  }

  #keep(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#rest.push(chunk);
    this.#restBytes += chunk.length;
  }
}

function frameError(what: string, cause?: unknown): AllcoresError {
  return new AllcoresError(
    "ALLCORES_ERR_BUS_FRAME",
    `The bus got bytes that are no frame: ${what}. The connection is closed.`,
    { cause },
  );
}
