// One end of a bus connection: messages in, messages out, one write per tick, bounded.
// It knows frames and the shape of messages; what they mean is the business of whoever opened it.

import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { AllcoresError } from "../errors.ts";
import { decodeMessagePayload, encodeMessageFrame, FRAME_KIND, FrameReader } from "./frames.ts";
import { type BusMessage, isBusMessage } from "./messages.ts";

export interface BusConnectionOptions {
  /** Largest frame that is accepted, in bytes. @default 268_435_456 */
  readonly maxFrameBytes?: number;
  /** Most bytes waiting to be written. Past it the connection is closed with `ALLCORES_ERR_BUS_OVERFLOW`. @default 67_108_864 */
  readonly maxQueuedBytes?: number;
}

interface BusConnectionEvents {
  /** `body` is a view into the receive buffer: copy it to keep it beyond the tick. */
  message: [message: BusMessage, body: Buffer];
  /** A frame of another kind than a message, as it came: a view like `body`, its header right before it. */
  frame: [kind: number, payload: Buffer];
  /** Every message and frame of a chunk has been emitted. */
  batchEnd: [];
  /** The connection is gone; `error` says why when it was not closed on purpose. Emitted once. */
  close: [error: AllcoresError | undefined];
}

export class BusConnection extends EventEmitter<BusConnectionEvents> {
  readonly #socket: Socket;
  readonly #maxQueuedBytes: number;
  readonly #reader: FrameReader;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #failure: AllcoresError | undefined;

  constructor(socket: Socket, options: BusConnectionOptions = {}) {
    super();
    const { maxFrameBytes = 268_435_456, maxQueuedBytes = 67_108_864 } = options;
    this.#socket = socket;
    this.#maxQueuedBytes = maxQueuedBytes;
    this.#reader = new FrameReader(maxFrameBytes, (kind, payload) => this.#receive(kind, payload));

    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.#fail("ALLCORES_ERR_BUS_CLOSED", `The bus connection broke: ${error.message}.`));
    socket.on("close", () => this.emit("close", this.#failure));
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** Bytes accepted by `send` that the other end has not taken yet. */
  get queuedBytes(): number {
    return this.#pendingBytes + this.#socket.writableLength;
  }

  /** Queues a message; everything queued in one tick goes out in one write. Returns `false` on a closed connection. */
  send(message: BusMessage, body?: Uint8Array): boolean {
    return this.sendFrame(encodeMessageFrame(JSON.stringify(message), body));
  }

  /** Queues a whole frame, in order with the messages. Its bytes must not change any more. */
  sendFrame(frame: Buffer): boolean {
    if (!this.isOpen) return false;
    this.#queue(frame);
    return this.isOpen;
  }

  /** Writes what is queued, then closes. */
  end(): void {
    this.#flush();
    this.#socket.end();
  }

  /** Closes at once; what is queued is lost. */
  destroy(): void {
    this.#socket.destroy();
  }

  #queue(frame: Buffer): void {
    if (this.queuedBytes + frame.length > this.#maxQueuedBytes) {
      const message = `The other end of the bus does not read: ${this.queuedBytes} bytes are waiting for it.`;
      this.#fail("ALLCORES_ERR_BUS_OVERFLOW", message);
      return;
    }
    if (this.#pending.length === 0) setImmediate(() => this.#flush());
    this.#pending.push(frame);
    this.#pendingBytes += frame.length;
  }

  #flush(): void {
    const [first] = this.#pending;
    if (first === undefined) return;
    const batch = this.#pending.length === 1 ? first : Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    if (this.#socket.writable) this.#socket.write(batch);
  }

  /** A listener that finds a frame malformed throws, and the connection closes, as for bytes that are no frame. */
  #read(chunk: Buffer): void {
    try {
      this.#reader.push(chunk);
      this.emit("batchEnd");
    } catch (error) {
      if (!(error instanceof AllcoresError)) throw error;
      this.#failure ??= error;
      this.#socket.destroy();
    }
  }

  #receive(kind: number, payload: Buffer): void {
    if (kind !== FRAME_KIND.message) {
      this.emit("frame", kind, payload);
      return;
    }
    const { value, body } = decodeMessagePayload(payload);
    if (isBusMessage(value)) this.emit("message", value, body);
  }

  #fail(code: "ALLCORES_ERR_BUS_CLOSED" | "ALLCORES_ERR_BUS_OVERFLOW", message: string): void {
    this.#failure ??= new AllcoresError(code, message);
    this.#socket.destroy();
  }
}
