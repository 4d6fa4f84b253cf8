// All that is used of the private parts of socket.io 4.8 and its packages, in one place. Their types hide it, so this
// file says what it is; box-adapter's tests fail when an update of theirs changes it.

import type { Namespace, Socket } from "socket.io";
import type { Packet } from "socket.io-parser";

/** The encoder of Socket.IO's parser, or of the app's own. */
export interface PacketEncoder {
  /** Attachments are what the app gave: they are not made Buffers here. */
  encode(packet: Packet): (string | ArrayBuffer | ArrayBufferView)[];
}

export interface PacketParser {
  readonly Decoder: new () => PacketDecoder;
}

interface PacketDecoder {
  on(event: "decoded", listener: (packet: Packet) => void): void;
  add(part: string | Uint8Array): void;
}

interface ServerInternals {
  readonly encoder: PacketEncoder;
  readonly _parser: PacketParser;
  readonly opts: { readonly connectionStateRecovery?: unknown };
}

interface SocketInternals {
  readonly pid?: string;
  readonly client: { close(): void; writeToEngine(packets: unknown[], options: object): void };
  readonly _anyOutgoingListeners?: readonly unknown[];
  notifyOutgoingListeners(packet: Packet): void;
  _cleanup(): void;
}

export function serverInternals(namespace: Namespace): ServerInternals {
  return namespace.server as unknown as ServerInternals;
}

export function socketInternals(socket: Socket): SocketInternals {
  return socket as unknown as SocketInternals;
}

/** A socket whether it is connected or still on its way through the middleware. */
export function findSocket(namespace: Namespace, id: string): Socket | undefined {
  const { _preConnectSockets: connecting } = namespace as unknown as { _preConnectSockets: Map<string, Socket> };
  return namespace.sockets.get(id) ?? connecting.get(id);
}

/** Whether the app has asked for Socket.IO's connection state recovery. */
export function canRecover(namespace: Namespace): boolean {
  return Boolean(serverInternals(namespace).opts.connectionStateRecovery);
}
