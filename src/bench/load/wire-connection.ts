// One client connection: TCP, WebSocket handshake, Engine.IO v4 and Socket.IO v5 text packets, up to the point where
// an event's bytes are handed over unparsed. No reconnecting here: a connection ends once.

import { connect, type Socket } from "node:net";
import { encodeFrame, FRAME, FrameReader, type FrameSink } from "./ws-frames.ts";

export interface WireOptions {
  readonly url: URL;
  /** Source address, so that one machine can hold more than 28,000 connections. */
  readonly localAddress: string | undefined;
  /** Path and query of the handshake request. */
  readonly target: string;
  /** The CONNECT packet, `40` and the auth object as JSON. */
  readonly connectPacket: string;
  readonly mask: Uint8Array;
}

/**
 * - `refused`: no TCP connection, an HTTP answer other than 101, or a CONNECT error.
 * - `closed`: it broke. - `kicked`: the server said goodbye in a way after which clients do not come back.
 */
export type EndReason = "refused" | "closed" | "kicked";

export interface WireEvents {
  /** The CONNECT reply, as JSON text. */
  onConnect(reply: string): void;
  /** An event: `buffer` from `start` to `end` holds `42["name",...]`, and is valid only during the call. */
  onEvent(buffer: Buffer, start: number, end: number): void;
  /** An ack: `43ID[...]`. */
  onAck(buffer: Buffer, start: number, end: number): void;
  onEnd(reason: EndReason): void;
}

const CHAR = { zero: 48, one: 49, two: 50, three: 51, four: 52 } as const;
const SWITCHED = Buffer.from("HTTP/1.1 101 ");
const HEAD_END = Buffer.from("\r\n\r\n");
const MAX_HTTP_HEAD_BYTES = 16_384;
const PONG = Buffer.from("3");

/** Connections read into one buffer, one after the other: whatever is kept longer than a call is copied. */
const READ_BUFFER = Buffer.allocUnsafeSlow(65_536);

export class WireConnection implements FrameSink {
  readonly #options: WireOptions;
  readonly #events: WireEvents;
  readonly #reader = new FrameReader(this);
  readonly #socket: Socket;
  #httpHead: Buffer | undefined = Buffer.alloc(0);
  #isConnected = false;
  #hasEnded = false;

  constructor(options: WireOptions, events: WireEvents) {
    this.#options = options;
    this.#events = events;
    this.#socket = connect({
      host: options.url.hostname.replace(/^\[|\]$/g, ""),
      port: Number(options.url.port || 80),
      noDelay: true,
      ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
      onread: { buffer: READ_BUFFER, callback: (bytes) => this.#onRead(bytes) },
    });
    this.#socket.on("connect", () => this.#socket.write(upgradeRequest(options)));
    this.#socket.on("error", () => this.#end(this.#isConnected ? "closed" : "refused"));
    this.#socket.on("close", () => this.#end(this.#isConnected ? "closed" : "refused"));
  }

  /** Sends one whole frame, which must not be changed afterwards. */
  write(frame: Buffer): void {
    if (!this.#hasEnded) this.#socket.write(frame);
  }

  sendText(text: string | Buffer): void {
    this.write(encodeFrame(FRAME.text, Buffer.from(text), this.#options.mask));
  }

  /** Ends it with a TCP reset, as a network that goes away. No event follows. */
  reset(): void {
    this.#hasEnded = true;
    this.#reader.stop();
    this.#socket.resetAndDestroy();
  }

  /** Ends it properly. No event follows. */
  close(): void {
    this.#hasEnded = true;
    this.#reader.stop();
    this.#socket.destroySoon();
  }

  /** Leaves it open and deaf: the server does not learn that nobody is there any more. No event follows. */
  abandon(): void {
    this.#hasEnded = true;
    this.#reader.stop();
    this.#socket.unref();
  }

  onText(buffer: Buffer, start: number, end: number): void {
    switch (buffer[start]) {
      case CHAR.four:
        this.#onPacket(buffer, start, end);
        break;
      case CHAR.two:
        this.sendText(PONG);
        break;
      case CHAR.zero:
        this.sendText(this.#options.connectPacket);
        break;
      case CHAR.one:
        this.#finish("closed");
        break;
    }
  }

  onPing(data: Buffer): void {
    this.write(encodeFrame(FRAME.pong, data, this.#options.mask));
  }

  onClose(): void {
    this.#finish(this.#isConnected ? "closed" : "refused");
  }

  onProtocolError(): void {
    this.#finish(this.#isConnected ? "closed" : "refused");
  }

  #onPacket(buffer: Buffer, start: number, end: number): void {
    switch (buffer[start + 1]) {
      case CHAR.two:
        this.#events.onEvent(buffer, start, end);
        break;
      case CHAR.three:
        this.#events.onAck(buffer, start, end);
        break;
      case CHAR.zero:
        this.#isConnected = true;
        this.#events.onConnect(buffer.toString("utf8", start + 2, end));
        break;
      case CHAR.one:
        this.#finish("kicked");
        break;
      case CHAR.four:
        this.#finish("refused");
        break;
    }
  }

  #onRead(bytes: number): boolean {
    if (this.#hasEnded) return true;
    if (this.#httpHead === undefined) this.#reader.push(READ_BUFFER, 0, bytes);
    else this.#onHttpHead(Buffer.concat([this.#httpHead, READ_BUFFER.subarray(0, bytes)]));
    return true;
  }

  #onHttpHead(head: Buffer): void {
    const end = head.indexOf(HEAD_END);
    if (end < 0 && head.length < MAX_HTTP_HEAD_BYTES) {
      this.#httpHead = head;
      return;
    }
    if (end < 0 || !head.subarray(0, SWITCHED.length).equals(SWITCHED)) {
      this.#finish("refused");
      return;
    }
    this.#httpHead = undefined;
    this.#reader.push(head, end + HEAD_END.length, head.length);
  }

  #finish(reason: EndReason): void {
    this.#reader.stop();
    this.#socket.destroy();
    this.#end(reason);
  }

  #end(reason: EndReason): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#events.onEnd(reason);
  }
}

function upgradeRequest({ url, target }: WireOptions): string {
  return [
    `GET ${target} HTTP/1.1`,
    `Host: ${url.host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: YWxsY29yZXMtYmVuY2gtLQ==",
    "\r\n",
  ].join("\r\n");
}
