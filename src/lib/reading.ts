// Stops and starts the reading of a connection in earnest, below Node's streams.

import type { Socket } from "node:net";

/** What this needs of Node's TCP handle and Node does not offer. */
export interface TcpHandle {
  readonly fd: number;
  reading: boolean;
  readStart(): void;
  readStop(): void;
  close(): void;
}

/**
 * Stops the handle itself, for good. `pause()` alone lets the kernel's bytes flow into this process until the stream's
 * buffer is full; and after it has emitted its data, a stream asks for more on the next tick, which starts the handle
 * again while the connection still stands in line for another process. What the client sends meanwhile would be read here
 * and be lost, and the client would hang for ever.
 */
export function stopReading(socket: Socket): void {
  socket.pause();
  const handle = handleOf(socket);
  if (handle === undefined) return;
  handle.reading = false;
  handle.readStop();
  Object.assign(socket, { _read: () => {} });
}

/** Undoes `stopReading` for a connection that goes to no worker after all. */
export function startReading(socket: Socket): void {
  Reflect.deleteProperty(socket, "_read");
  socket.resume();
  const handle = handleOf(socket);
  if (handle === undefined || handle.reading) return;
  // The stream believes that a read is under way, and would not begin one.
  handle.reading = true;
  handle.readStart();
}

/** Node takes the handle off the socket when it sends it, or closes it. */
export function handleOf(socket: Socket): TcpHandle | undefined {
  const { _handle: handle } = socket as Socket & { _handle?: TcpHandle | null };
  return handle ?? undefined;
}
