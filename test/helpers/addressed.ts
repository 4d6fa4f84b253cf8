// Clients that come from an address of their own: on Linux all of 127.0.0.0/8 is this machine.

import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { WebSocket } from "ws";
import { withDeadline } from "../../src/lib/deadline.ts";
import { readToEnd } from "./clients.ts";

/** A connection to the port of `url` from `localAddress`. */
export async function openFrom(url: string, localAddress: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = createConnection({ host: hostname, port: Number(port), localAddress, noDelay: true });
  await once(socket, "connect");
  return socket;
}

/** Sends bytes and resolves with the whole answer. */
export async function requestFrom(url: string, localAddress: string, bytes: string | Buffer): Promise<string> {
  const socket = await openFrom(url, localAddress);
  const answer = readToEnd(socket);
  socket.write(bytes);
  return answer;
}

export interface WsClient {
  readonly ws: WebSocket;
  readonly welcome: { readonly slot: number; readonly pid: number; readonly address: string };
}

/** A client by WebSocket that is welcome, or the status it was refused with. */
export async function joinFrom(
  url: string,
  localAddress: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<WsClient | number> {
  const ws = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, {
    localAddress,
    headers,
  });
  const settled = new Promise<WsClient | number>((resolve, reject) => {
    ws.on("error", reject);
    ws.on("unexpected-response", (_request, response) => {
      resolve(response.statusCode ?? 0);
      response.resume();
    });
    ws.on("message", (data) => {
      const text = String(data);
      if (text.startsWith("0")) ws.send("40");
      if (text === "2") ws.send("3");
      const [, welcome] = /^42\["welcome",(.*)\]$/.exec(text) ?? [];
      if (welcome !== undefined) resolve({ ws, welcome: JSON.parse(welcome) as WsClient["welcome"] });
    });
  });
  return withDeadline(settled, 60_000, "Joining");
}
