// Stock clients for tests, and raw HTTP for what stock clients never do.

import { once } from "node:events";
import { type AddressInfo, createConnection, type Socket } from "node:net";
import { type Socket as ClientSocket, io, type ManagerOptions, type SocketOptions } from "socket.io-client";
import { withDeadline } from "../../src/lib/deadline.ts";

export const TRANSPORTS = {
  "WebSocket only": ["websocket"],
  "polling only": ["polling"],
  "polling, then upgrade": ["polling", "websocket"],
} as const satisfies Record<string, ManagerOptions["transports"]>;

/** A client of its own connection that does not come back unless asked to. */
export function newClient(url: string, options: Partial<ManagerOptions & SocketOptions> = {}): ClientSocket {
  return io(url, { forceNew: true, reconnection: false, transports: ["websocket"], ...options });
}

/** Connects and resolves with the socket and the arguments of its first `welcome`. */
export async function connectClient<Welcome>(
  url: string,
  options: Partial<ManagerOptions & SocketOptions> = {},
): Promise<{ socket: ClientSocket; welcome: Welcome }> {
  const socket = newClient(url, options);
  const refused = new Promise<never>((_resolve, reject) => socket.once("connect_error", reject));
  const welcome = await withDeadline(
    Promise.race([nextEvent<Welcome>(socket, "welcome"), refused]),
    15_000,
    "Connecting",
  );
  return { socket, welcome };
}

/** The first argument of the next `event`. */
export function nextEvent<T>(socket: ClientSocket, event: string): Promise<T> {
  return new Promise((resolve) => socket.once(event, (value: T) => resolve(value)));
}

/** Opens a TCP connection to the port of `url`. */
export async function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = createConnection({ host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

/** Everything the other end sends until it closes. A reset counts as a close. */
export async function readToEnd(socket: Socket, timeoutMs = 60_000): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  const ended = new Promise((resolve) => {
    socket.once("end", resolve);
    socket.once("close", resolve);
  });
  await withDeadline(ended, timeoutMs, "The answer");
  socket.destroy();
  return text;
}

/** Sends bytes as they are, in as many segments as given, and resolves with the whole answer. */
export async function rawRequest(url: string, segments: readonly (string | Buffer)[]): Promise<string> {
  const socket = await openSocket(url);
  const answer = readToEnd(socket);
  for (const segment of segments) {
    if (socket.destroyed) break;
    await new Promise<void>((resolve) => socket.write(segment, () => setImmediate(resolve)));
  }
  return answer;
}

export function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("not listening on a port");
  return address.port;
}
