// Writes messages to clients, the shortest way there is: the WebSocket frames go to the TCP socket as they came from the
// hub, and all that one client gets from one chunk goes in one write. Where that way is closed (long-polling, a transport
// that is busy or being upgraded, somebody listening to what goes out) the message takes Engine.IO's own.

import type { Socket as TcpSocket } from "node:net";
import type { Socket } from "socket.io";
import { decodeFrames } from "../lib/ws-frames.ts";
import { OWN_PACKET_LISTENERS } from "../metrics/traffic.ts";
import { socketInternals } from "./socket-io-internals.ts";

export interface DeliveryOptions {
  /** Most bytes waiting for one client; one that reads slower is closed, and may come back for what it missed. */
  readonly maxClientBytes: number;
  readonly onSlowClient: () => void;
  /** A message of so many bytes did not take Engine.IO's way. */
  readonly onDirect: (bytes: number) => void;
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
  readonly upgrading: boolean;
  readonly writeBuffer: { length: number };
  readonly transport: { readonly name: string; readonly writable: boolean; readonly socket?: WebSocketInternals };
  listenerCount(event: string): number;
  close(discard?: boolean): void;
}

interface WebSocketInternals {
  readonly readyState: number;
  readonly _socket: TcpSocket | null;
  readonly _sender: { readonly _state: number; readonly _queue: { readonly length: number } } | null;
}

const WS_OPEN = 1;
const SENDER_IDLE = 0;

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #batch = new Map<TcpSocket, Buffer | Buffer[]>();

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Sends one message to one client, after all that were sent to it before. */
  send(socket: Socket, message: WireMessage): void {
    const connection = socket.conn as unknown as EngineConnection;
    const tcp = directWay(connection);
    if (tcp === undefined) this.#sendThroughEngine(socket, message);
    else if (!message.isVolatile || connection.transport.writable) this.#add(tcp, connection, message.frames);
  }

  /** Writes what has gathered. Call it at the end of a chunk, and before anything else may write to a client. */
  flush(): void {
    if (this.#batch.size === 0) return;
    for (const [tcp, frames] of this.#batch) {
      if (!tcp.destroyed) tcp.write(Array.isArray(frames) ? Buffer.concat(frames) : frames);
    }
    this.#batch.clear();
  }

  #add(tcp: TcpSocket, connection: EngineConnection, frames: Buffer): void {
    if (tcp.writableLength > this.#options.maxClientBytes) {
      this.#options.onSlowClient();
      connection.close(true);
      return;
    }
    this.#options.onDirect(frames.length);
    const gathered = this.#batch.get(tcp);
    if (gathered === undefined) this.#batch.set(tcp, frames);
    else if (Array.isArray(gathered)) gathered.push(frames);
    else this.#batch.set(tcp, [gathered, frames]);
  }

  #sendThroughEngine(socket: Socket, { frames, isVolatile, compress }: WireMessage): void {
    this.flush();
    const options = { preEncoded: true, volatile: isVolatile, compress };
    // "4", the packet type of an Engine.IO message, stands before the text and is put there by Engine.IO itself.
    const packets = decodeFrames(frames).map((part) => (typeof part === "string" ? part.slice(1) : part));
    socketInternals(socket).client.writeToEngine(packets, options);
  }
}

/** The TCP socket, when nothing of Engine.IO's or ws' own is queued before it and nobody watches the packets go out. */
function directWay(connection: EngineConnection): TcpSocket | undefined {
  const { transport } = connection;
  const isPlain =
    connection.readyState === "open" &&
    connection.protocol === 4 &&
    transport.name === "websocket" &&
    connection.writeBuffer.length === 0 &&
    connection.listenerCount("packetCreate") <= OWN_PACKET_LISTENERS;
  if (!isPlain) return undefined;
  const { socket } = transport;
  const { _socket: tcp, _sender: sender } = socket ?? {};
  const isIdle = socket?.readyState === WS_OPEN && sender?._state === SENDER_IDLE && sender._queue.length === 0;
  return isIdle && tcp ? tcp : undefined;
}
