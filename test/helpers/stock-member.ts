// A member of a history that is the stock socket.io-client.

import type { Socket } from "socket.io-client";
import { newClient } from "./clients.ts";
import { Member } from "./history.ts";

export class StockMember extends Member {
  readonly socket: Socket;

  constructor(url: string, name: string, room: string) {
    super(name, room);
    this.socket = newClient(url, { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 500 });
    this.socket.onAny((event: string, ...args: unknown[]) => this.onEvent(event, args));
    this.socket.on("connect", () => this.onConnected(this.socket.recovered));
  }

  override get isConnected(): boolean {
    return this.socket.connected;
  }

  override cut(): void {
    const { ws } = (this.socket.io.engine?.transport ?? {}) as { ws?: { _socket?: { destroy(): void } } };
    ws?._socket?.destroy();
  }

  override leave(): void {
    this.socket.disconnect();
  }

  protected override emit(event: string, args: readonly unknown[], onAck: () => void): void {
    this.socket.emit(event, ...args, onAck);
  }
}
