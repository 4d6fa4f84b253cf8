// Writes messages to clients, the shortest way there is: the WebSocket frames go to the TCP socket as they came from the
// hub, and all that one client gets from one chunk goes in one write. Where that way is closed (long-polling, compression, a
// transport that is busy or being upgraded, somebody listening to what goes out) the message takes Engine.IO's own.

import type { Socket as TcpSocket } from "node:net";
import type { Socket } from "socket.io";
import { decodeFrames } from "../lib/ws-frames.ts";
import { OWN_PACKET_LISTENERS } from "../metrics/traffic.ts";
import { socketInternals } from "./socket-io-internals.ts";

export interface DeliveryOptions {
  /** Most bytes waiting for one client; one that reads slower is closed, and may come back for what it missed. */
  readonly maxClientBytes: number;
  readonly onSlowClient: () => void;
  /** So many messages, of so many bytes together, did not take Engine.IO's way. */
  readonly onDirect: (messages: number, bytes: number) => void;
}

export interface WireMessage {
  /** WebSocket frames: the packet, then its attachments. */
  readonly frames: Buffer;
  readonly isVolatile: boolean;
  readonly compress: boolean | undefined;
}

/** What is used of the private parts of engine.io 6.6 and ws 8; a test fails when an update changes them. */
interface EngineConnection {
  readonly readyState: string;
  readonly protocol: number;
  readonly writeBuffer: { length: number };
  readonly transport: {
    readonly name: string;
    readonly writable: boolean;
    readonly socket?: WebSocketInternals;
    /** Engine.IO's option, as far as the transport has it. */
    readonly perMessageDeflate?: unknown;
  };
  listenerCount(event: string): number;
  close(discard?: boolean): void;
}

interface EngineWriter {
  writeToEngine(packets: unknown[], options: object): void;
}

interface WebSocketInternals {
  readonly readyState: number;
  readonly _socket: TcpSocket | null;
  readonly _sender: { readonly _state: number; readonly _queue: { readonly length: number } } | null;
}

const WS_OPEN = 1;
const SENDER_IDLE = 0;

/** What one connection gets from a chunk. Sockets of several namespaces share it, and their messages keep their order. */
export interface Outbox {
  readonly connection: EngineConnection;
  readonly client: EngineWriter;
  frames: Buffer | Buffer[] | undefined;
  tcp: TcpSocket | undefined;
  /** What waits in Engine.IO: its list, which is another one once it has been written, and the bytes put there since. */
  queue: object | undefined;
  queuedBytes: number;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #outboxes = new WeakMap<object, Outbox>();
  #filled: Outbox[] = [];
  #messages = 0;
  #bytes = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  outboxOf(socket: Socket): Outbox {
    const known = this.#outboxes.get(socket.conn);
    if (known !== undefined) return known;
    const connection = socket.conn as unknown as EngineConnection;
    const { client } = socketInternals(socket);
    const outbox = { connection, client, frames: undefined, tcp: undefined, queue: undefined, queuedBytes: 0 };
    this.#outboxes.set(socket.conn, outbox);
    return outbox;
  }

  /** Sends one message to one client, after all that were sent to it before. */
  send(outbox: Outbox, message: WireMessage): void {
    if (isMissed(outbox, message)) return;
    const tcp = directWay(outbox.connection);
    if (tcp === undefined) this.#queue(outbox, message);
    else this.#add(outbox, tcp, message.frames);
  }

  /** As `send`, for what the client came back for: however much that is, it is no slower for it. */
  replay(outbox: Outbox, message: WireMessage): void {
    if (isMissed(outbox, message)) return;
    const tcp = directWay(outbox.connection);
    if (tcp === undefined) this.#sendThroughEngine(outbox, message);
    else this.#add(outbox, tcp, message.frames);
  }

  /** Writes what has gathered. Call it at the end of a chunk, and before anything else may write to a client. */
  flush(): void {
    if (this.#filled.length === 0) return;
    const filled = this.#filled;
    this.#filled = [];
    for (const outbox of filled) {
      const { tcp, frames } = outbox;
      outbox.frames = undefined;
      if (tcp === undefined || frames === undefined || tcp.destroyed) continue;
      tcp.write(Array.isArray(frames) ? Buffer.concat(frames) : frames);
    }
    this.#options.onDirect(this.#messages, this.#bytes);
    this.#messages = 0;
    this.#bytes = 0;
  }

  #add(outbox: Outbox, tcp: TcpSocket, frames: Buffer): void {
    if (tcp.writableLength > this.#options.maxClientBytes) {
      this.#endSlow(outbox);
      return;
    }
    this.#messages++;
    this.#bytes += frames.length;
    const gathered = outbox.frames;
    if (gathered === undefined) {
      outbox.frames = frames;
      outbox.tcp = tcp;
      this.#filled.push(outbox);
    } else if (Array.isArray(gathered)) gathered.push(frames);
    else outbox.frames = [gathered, frames];
  }

  /** A client that does not poll, say, may let no more wait than one that does not read. */
  #queue(outbox: Outbox, message: WireMessage): void {
    const { writeBuffer } = outbox.connection;
    if (outbox.queue !== writeBuffer) {
      outbox.queue = writeBuffer;
      outbox.queuedBytes = 0;
    }
    if (outbox.queuedBytes > this.#options.maxClientBytes) {
      this.#endSlow(outbox);
      return;
    }
    outbox.queuedBytes += message.frames.length;
    this.#sendThroughEngine(outbox, message);
  }

  #endSlow({ connection }: Outbox): void {
    this.#options.onSlowClient();
    connection.close(true);
  }

  #sendThroughEngine({ client }: Outbox, { frames, isVolatile, compress }: WireMessage): void {
    this.flush();
    const options = { preEncoded: true, volatile: isVolatile, compress };
    // "4", the packet type of an Engine.IO message, stands before the text and is put there by Engine.IO itself.
    const packets = decodeFrames(frames).map((part) => (typeof part === "string" ? part.slice(1) : part));
    client.writeToEngine(packets, options);
  }
}

/** A volatile message is not for a client that is not ready for it, and is not kept for it either. */
function isMissed({ connection }: Outbox, { isVolatile }: WireMessage): boolean {
  return isVolatile && !connection.transport.writable;
}

/**
 * The TCP socket, when nothing of Engine.IO's or ws' own is queued before it, nobody watches the packets go out, and they
 * are not to be compressed on the way.
 */
function directWay(connection: EngineConnection): TcpSocket | undefined {
  const { transport } = connection;
  const isPlain =
    connection.readyState === "open" &&
    connection.protocol === 4 &&
    transport.name === "websocket" &&
    !transport.perMessageDeflate &&
    connection.writeBuffer.length === 0 &&
    connection.listenerCount("packetCreate") <= OWN_PACKET_LISTENERS;
  if (!isPlain) return undefined;
  const { socket } = transport;
  const { _socket: tcp, _sender: sender } = socket ?? {};
  const isIdle = socket?.readyState === WS_OPEN && sender?._state === SENDER_IDLE && sender._queue.length === 0;
  return isIdle && tcp ? tcp : undefined;
}
