// Presence with real Socket.IO servers and stock clients, two workers in one process.

import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { io as connect, type Socket } from "socket.io-client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type PresenceBox, startPresenceBox } from "../helpers/presence-box.ts";

let box: PresenceBox;
let https: HttpServer[];
let clients: Socket[];

beforeEach(async () => {
  box = await startPresenceBox({ graceMs: 0 });
  clients = [];
  https = [await startWorker(), await startWorker()];
});

afterEach(async () => {
  for (const client of clients) client.disconnect();
  for (const http of https) http.close();
  await box.close();
});

async function startWorker(): Promise<HttpServer> {
  const { presence } = await box.worker();
  const http = createServer();
  new Server(http).of("/chat").on("connection", (socket) => {
    socket.on("here", async (user, ack) => ack(await presence.join(socket, "lobby", { user })));
  });
  await once(http.listen(0, "127.0.0.1"), "listening");
  return http;
}

/** A client of one worker that is in the lobby, with what it was told. */
async function enter(worker: number, user: string) {
  const address = https[worker]?.address() as AddressInfo | undefined;
  const client = connect(`http://127.0.0.1:${address?.port}/chat`, { forceNew: true, transports: ["websocket"] });
  clients.push(client);
  const state = await client.emitWithAck("here", user);
  return { client, state };
}

const nextDiff = (client: Socket) => new Promise((resolve) => client.once("presence:diff", resolve));

test("clients on different workers see each other come and go", async () => {
  const ann = await enter(0, "ann");
  const cameIn = nextDiff(ann.client);

  const bob = await enter(1, "bob");
  const joined = await cameIn;
  const wentOut = nextDiff(ann.client);
  bob.client.disconnect();

  expect(ann.state).toEqual({ room: "lobby", version: 1, members: [{ user: "ann", count: 1 }] });
  expect(bob.state.members).toHaveLength(2);
  expect(joined).toEqual({ room: "lobby", version: 2, joined: [{ user: "bob", count: 1 }], left: [], updated: [] });
  expect(await wentOut).toMatchObject({ version: 3, left: ["bob"] });
});
