// WebSocket frames of a server (RFC 6455, section 5.2): unmasked, unfragmented, uncompressed.
// Built once a message, for all its recipients.

const OPCODE = { text: 1, binary: 2 } as const;
const FIN = 0x80;

/** A text frame, header and all. */
export function encodeTextFrame(text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const frame = allocateFrame(OPCODE.text, bytes);
  // What takes a byte for each character is ASCII, and written by copying.
  frame.write(text, frame.length - bytes, bytes === text.length ? "latin1" : "utf8");
  return frame;
}

/** Takes whatever Socket.IO takes for binary: an ArrayBuffer, or a view of one with elements of any size. */
export function encodeBinaryFrame(data: ArrayBufferLike | ArrayBufferView): Buffer {
  const bytes = bytesOf(data);
  const frame = allocateFrame(OPCODE.binary, bytes.length);
  frame.set(bytes, frame.length - bytes.length);
  return frame;
}

/** Takes frames that were built here apart again: text as strings, binary as views. */
export function decodeFrames(frames: Buffer): (string | Buffer)[] {
  const contents: (string | Buffer)[] = [];
  let at = 0;
  while (at < frames.length) {
    const isText = (frames.readUInt8(at) & 0x0f) === OPCODE.text;
    const { start, bytes } = readLength(frames, at + 1);
    const content = frames.subarray(start, start + bytes);
    contents.push(isText ? content.toString("utf8") : content);
    at = start + bytes;
  }
  return contents;
}

function bytesOf(data: ArrayBufferLike | ArrayBufferView): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new Uint8Array(data);
}

function allocateFrame(opcode: number, bytes: number): Buffer {
  const headerBytes = bytes < 126 ? 2 : bytes <= 0xffff ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerBytes + bytes);
  frame.writeUInt8(FIN | opcode, 0);
  if (headerBytes === 2) frame.writeUInt8(bytes, 1);
  if (headerBytes === 4) {
    frame.writeUInt8(126, 1);
    frame.writeUInt16BE(bytes, 2);
  }
  if (headerBytes === 10) {
    frame.writeUInt8(127, 1);
    frame.writeBigUInt64BE(BigInt(bytes), 2);
  }
  return frame;
}

function readLength(frames: Buffer, at: number): { start: number; bytes: number } {
  const short = frames.readUInt8(at);
  if (short < 126) return { start: at + 1, bytes: short };
  if (short === 126) return { start: at + 3, bytes: frames.readUInt16BE(at + 1) };
  return { start: at + 9, bytes: Number(frames.readBigUInt64BE(at + 1)) };
}
