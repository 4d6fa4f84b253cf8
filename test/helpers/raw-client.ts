// A client that sends whatever it is told to: frames of the Engine.IO protocol over a bare WebSocket.

import { once } from "node:events";
import { WebSocket } from "ws";

export interface RawClient {
  readonly socket: WebSocket;
  /** Every text frame so far; empty it to wait for new ones. */
  readonly received: string[];
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<void>;
  readonly send: (frame: string | Buffer) => void;
  /** The first frame that starts with `prefix`, already received or to come. */
  readonly next: (prefix: string) => Promise<string>;
}

/** Connects and, unless told otherwise, joins the main namespace. */
export async function connectRaw(
  port: number,
  {
    join = true,
    headers = {},
    query = "EIO=4",
  }: { join?: boolean; headers?: Record<string, string>; query?: string } = {},
): Promise<RawClient> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?${query}&transport=websocket`, { headers });
  const received: string[] = [];
  const waiting = new Set<() => void>();
  socket.on("message", (data, isBinary) => {
    if (!isBinary) received.push(String(data));
    for (const look of waiting) look();
  });
  socket.on("error", () => {});
  const closed = once(socket, "close").then(() => {});
  const client: RawClient = {
    socket,
    received,
    closed,
    send: (frame) => socket.send(frame),
    next: (prefix) =>
      new Promise((resolve) => {
        const look = (): void => {
          const frame = received.find((candidate) => candidate.startsWith(prefix));
          if (frame === undefined) return;
          waiting.delete(look);
          resolve(frame);
        };
        waiting.add(look);
        look();
      }),
  };
  await client.next("0{");
  if (join) {
    client.send("40");
    await client.next("40{");
  }
  return client;
}

/** JSON of `[` nested `depth` times: JSON.stringify itself would overflow the stack. */
export function nestedArrays(depth: number): string {
  return `${"[".repeat(depth)}${"]".repeat(depth)}`;
}
