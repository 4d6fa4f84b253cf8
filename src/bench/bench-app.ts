// The app under test: what a chat server does, and nothing else. The same code runs on `allcores start` and, through
// `setup(io, { slot })`, on the plain servers it is compared with.

import type { Server, Socket } from "socket.io";
import type { BenchBox } from "./contract.ts";
import burn from "./tasks/burn.ts";

/** CPU of one `work` event, in milliseconds on a core of 2020 or so. */
export const WORK_MS = 50;

const ANSWER_TIMEOUT_MS = 20_000;
const POOL_DEADLINE_MS = 20_000;

type Ack = (answer?: unknown) => void;

export default {
  io: { serveClient: false },
  /** Rooms are kept together when the client names its room in the handshake. */
  affinity: (head: { readonly query: URLSearchParams }): string | null => head.query.get("room"),
  tasks: new URL("./tasks/", import.meta.url),

  setup(io: Server, box: BenchBox): void {
    io.on("connection", (socket) => {
      const { user } = socket.handshake.query;
      if (typeof user === "string") void socket.join(user);
      answerClient(io, box, socket);
    });
  },
};

function answerClient(io: Server, box: BenchBox, socket: Socket): void {
  socket.on("hello", (ack: Ack) => ack({ slot: box.slot }));
  socket.on("join", async (room: string, ack: Ack) => {
    await socket.join(room);
    ack();
  });
  socket.on("publish", (room: string, payload: string, ack?: Ack) => {
    io.to(room).emit("message", payload);
    ack?.();
  });
  socket.on("direct", (user: string, payload: string) => {
    io.to(user).emit("message", payload);
  });
  socket.on("broadcast", (payload: string) => {
    io.emit("message", payload);
  });
  socket.on("echo", (payload: string, ack: Ack) => ack(payload));
  socket.on("ask", (room: string, payload: string, ack: Ack) => {
    io.to(room)
      .timeout(ANSWER_TIMEOUT_MS)
      .emit("question", payload, (_error: Error | null, answers: unknown[]) => ack(answers.length));
  });
  socket.on("work", (payload: string, ack: Ack) => {
    burn(WORK_MS);
    ack(payload);
  });
  socket.on("workPool", async (payload: string, ack: Ack) => {
    if (box.cpu === undefined) burn(WORK_MS);
    else await box.cpu.run("burn", WORK_MS, { deadlineMs: POOL_DEADLINE_MS });
    ack(payload);
  });
}
