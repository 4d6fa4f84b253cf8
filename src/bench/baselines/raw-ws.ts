// The same work without Socket.IO: rooms, users and acks by hand on `ws`, in one process.
// It speaks just enough of Engine.IO 4 and Socket.IO 5 on a WebSocket for the load side not to know the difference:
//
//   0 open   2 ping   3 pong   40 connect   42 event   42ID event with ack   43ID ack

import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import { WORK_MS } from "../bench-app.ts";
import burn from "../tasks/burn.ts";
import { listen } from "./app-server.ts";
import type { Baseline } from "./baseline.ts";

export const rawWs: Baseline = {
  name: "ws",
  summary: "the same work on raw ws, without Socket.IO, in one process",
  packages: ["ws"],
  settings: [],
  usesWorkers: false,
  ordersRooms: true,
  replacesWorkers: false,
  takesPort: true,
  start: async ({ port }) => {
    const httpServer = createServer();
    const server = new WebSocketServer({ server: httpServer });
    server.on("connection", (socket, request) => serveClient(socket, request));
    const url = await listen(httpServer, port);
    const close = async (): Promise<void> => {
      for (const socket of server.clients) socket.terminate();
      httpServer.close();
    };
    return { urls: [url], pids: { socketWorker: [process.pid] }, close };
  },
};

interface Client {
  readonly socket: WebSocket;
  readonly rooms: Set<string>;
  /** What is called with the answer to the question of this number. */
  readonly questions: Map<number, () => void>;
}

const PING_INTERVAL_MS = 25_000;
const EVENT_FRAME = /^4([23])(\d*)(\[.*)$/s;

const clients = new Set<Client>();
const rooms = new Map<string, Set<Client>>();
let lastQuestion = 0;

function serveClient(socket: WebSocket, request: IncomingMessage): void {
  const client: Client = { socket, rooms: new Set(), questions: new Map() };
  const sid = randomUUID();
  const open = { sid, upgrades: [], pingInterval: PING_INTERVAL_MS, pingTimeout: 20_000, maxPayload: 1_000_000 };
  socket.send(`0${JSON.stringify(open)}`);
  clients.add(client);
  const user = new URL(request.url ?? "/", "http://localhost").searchParams.get("user");
  if (user !== null) join(client, user);

  const pings = setInterval(() => socket.send("2"), PING_INTERVAL_MS);
  socket.on("message", (data) => readFrame(client, sid, data.toString()));
  socket.on("error", () => socket.terminate());
  socket.on("close", () => {
    clearInterval(pings);
    clients.delete(client);
    for (const room of client.rooms) leave(client, room);
  });
}

function readFrame(client: Client, sid: string, frame: string): void {
  if (frame.startsWith("40")) client.socket.send(`40${JSON.stringify({ sid })}`);
  const [, type, id = "", body = ""] = EVENT_FRAME.exec(frame) ?? [];
  if (type === "3") client.questions.get(Number(id))?.();
  if (type !== "2") return;
  const [event, ...args] = JSON.parse(body) as [string, ...string[]];
  const ack = (...answer: unknown[]): void => {
    if (id !== "") client.socket.send(`43${id}${JSON.stringify(answer)}`);
  };
  handlers[event]?.(client, args, ack);
}

type Handler = (client: Client, args: readonly string[], ack: (...answer: unknown[]) => void) => void;

const handlers: Readonly<Record<string, Handler>> = {
  hello: (_client, _args, ack) => ack({ slot: 0 }),
  join: (client, [room = ""], ack) => {
    join(client, room);
    ack();
  },
  publish: (_client, [room = "", payload], ack) => {
    sendTo(membersOf(room), payload);
    ack();
  },
  direct: (_client, [user = "", payload]) => sendTo(membersOf(user), payload),
  broadcast: (_client, [payload]) => sendTo(clients, payload),
  echo: (_client, [payload], ack) => ack(payload),
  ask: (_client, [room = "", payload], ack) => ask(membersOf(room), payload, ack),
  work: (_client, [payload], ack) => {
    burn(WORK_MS);
    ack(payload);
  },
  workPool: (_client, [payload], ack) => {
    burn(WORK_MS);
    ack(payload);
  },
};

function sendTo(members: ReadonlySet<Client>, payload: string | undefined): void {
  const frame = `42${JSON.stringify(["message", payload])}`;
  for (const { socket } of members) socket.send(frame);
}

function ask(members: ReadonlySet<Client>, payload: string | undefined, ack: (count: number) => void): void {
  const question = ++lastQuestion;
  let missing = members.size;
  for (const { socket, questions } of members) {
    questions.set(question, () => {
      questions.delete(question);
      if (--missing === 0) ack(members.size);
    });
    socket.send(`42${question}${JSON.stringify(["question", payload])}`);
  }
}

const NOBODY: ReadonlySet<Client> = new Set();

function membersOf(room: string): ReadonlySet<Client> {
  return rooms.get(room) ?? NOBODY;
}

function join(client: Client, room: string): void {
  client.rooms.add(room);
  const members = rooms.get(room);
  if (members === undefined) rooms.set(room, new Set([client]));
  else members.add(client);
}

function leave(client: Client, room: string): void {
  const members = rooms.get(room);
  members?.delete(client);
  if (members?.size === 0) rooms.delete(room);
}
