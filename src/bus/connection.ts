// One end of a bus connection: messages in, messages out, written when it is time, bounded.
// It knows frames and the shape of messages; what they mean is the business of whoever opened it.

import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { AllcoresError } from "../errors.ts";
import { decodeMessageFrame, encodeMessageFrame, FRAME_KIND, FrameReader } from "./frames.ts";
import { type BusMessage, isBusMessage } from "./messages.ts";
import { Outgoing } from "./outgoing.ts";
import { AT_ONCE, type WriteTiming } from "./write-timing.ts";

/** Node reads so much at a time. */
const READ_BYTES = 65_536;

export interface BusConnectionOptions {
  /** Largest frame that is accepted, in bytes. @default 268_435_456 */
  readonly maxFrameBytes?: number;
  /**
   * Most bytes waiting to be written. What comes when there are more closes the connection with
   * `ALLCORES_ERR_BUS_OVERFLOW`. @default 67_108_864
   */
  readonly maxQueuedBytes?: number;
  /** When what is queued is written. @default at the end of the event loop's turn */
  readonly timing?: WriteTiming;
}

interface BusConnectionEvents {
  /** `body` is a view into the receive buffer: copy it to keep it beyond the tick. */
  message: [message: BusMessage, body: Buffer];
  /** A frame of another kind than a message, whole, as it came: a view like `body`. */
  frame: [kind: number, frame: Buffer];
  /** Every message and frame of a chunk has been emitted. */
  batchEnd: [];
  /** The other end has taken all of a large backlog. */
  drain: [];
  /** The connection is gone; `error` says why when it was not closed on purpose. Emitted once. */
  close: [error: AllcoresError | undefined];
}

export class BusConnection extends EventEmitter<BusConnectionEvents> {
  readonly #socket: Socket;
  readonly #maxQueuedBytes: number;
  readonly #reader: FrameReader;
  readonly #outgoing = new Outgoing();
  readonly #timing: WriteTiming;
  #failure: AllcoresError | undefined;
  #isReadFull = false;

  constructor(socket: Socket, options: BusConnectionOptions = {}) {
    super();
    const { maxFrameBytes = 268_435_456, maxQueuedBytes = 67_108_864, timing = AT_ONCE } = options;
    this.#socket = socket;
    this.#maxQueuedBytes = maxQueuedBytes;
    this.#timing = timing;
    this.#reader = new FrameReader(maxFrameBytes, (kind, frame) => this.#receive(kind, frame));

    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("drain", () => this.emit("drain"));
    socket.on("error", (error) => this.#fail("ALLCORES_ERR_BUS_CLOSED", `The bus connection broke: ${error.message}.`));
    socket.on("close", () => this.emit("close", this.#failure));
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** Bytes accepted by `send` that the other end has not taken yet. */
  get queuedBytes(): number {
    return this.#outgoing.bytes + this.#socket.writableLength;
  }

  /** Whether more waits, in or out, than the system takes at a time. */
  get isBackedUp(): boolean {
    return this.#isReadFull || this.#socket.writableLength > 0;
  }

  /** Bytes that the other end, or the system on its behalf, has taken. */
  get takenBytes(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  /** Queues a message; what waits together goes out in one write. Returns `false` on a closed connection. */
  send(message: BusMessage, body?: Uint8Array): boolean {
    return this.sendFrame(encodeMessageFrame(JSON.stringify(message), body));
  }

  /** Queues a whole frame, in order with the messages. The bytes of a large one must not change any more. */
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
    // What waits already counts: one large frame for an end that reads is no reason.
    if (this.queuedBytes > this.#maxQueuedBytes) {
      const message = `The other end of the bus does not read: ${this.queuedBytes} bytes are waiting for it.`;
      this.#fail("ALLCORES_ERR_BUS_OVERFLOW", message);
      return;
    }
    if (this.#outgoing.bytes === 0) this.#timing.schedule(this.#flush);
    this.#outgoing.add(frame);
  }

  /** Returns how many frames waited. */
  readonly #flush = (): number => {
    const { frames } = this.#outgoing;
    const parts = this.#outgoing.take();
    if (!this.#socket.writable) return frames;
    const [first] = parts;
    if (parts.length === 1 && first !== undefined) {
      this.#socket.write(first);
    } else {
      this.#socket.cork();
      for (const part of parts) this.#socket.write(part);
      this.#socket.uncork();
    }
    if (this.#socket.writableLength === 0) this.#outgoing.reuse();
    return frames;
  };

  /** A listener that finds a frame malformed throws, and the connection closes, as for bytes that are no frame. */
  #read(chunk: Buffer): void {
    this.#isReadFull = chunk.length >= READ_BYTES;
    try {
      this.#reader.push(chunk);
      this.emit("batchEnd");
    } catch (error) {
      if (!(error instanceof AllcoresError)) throw error;
      this.#failure ??= error;
      this.#socket.destroy();
    }
  }

  #receive(kind: number, frame: Buffer): void {
    if (kind !== FRAME_KIND.message) {
      this.emit("frame", kind, frame);
      return;
    }
    const { value, body } = decodeMessageFrame(frame);
    if (isBusMessage(value)) this.emit("message", value, body);
  }

  #fail(code: "ALLCORES_ERR_BUS_CLOSED" | "ALLCORES_ERR_BUS_OVERFLOW", message: string): void {
    this.#failure ??= new AllcoresError(code, message);
    this.#socket.destroy();
  }
}
