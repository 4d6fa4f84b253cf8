// The demo that `allcores start` runs: a chat over all workers, with Markdown and pictures made in the pool.

import { defineApp } from "../socket-worker/app.ts";
import { answer, refuseAloud } from "./answer.ts";
import { Chat } from "./chat.ts";
import type { PeerEvents, SocketData } from "./chat-server.ts";
import type { ClientEvents, ServerEvents } from "./page/protocol.ts";
import { parseDraw, parseJoin, parseMessageId, parseSend } from "./parse-requests.ts";
import { serveFolder } from "./static-files.ts";
import { Turns } from "./turns.ts";

export default defineApp<ClientEvents, ServerEvents, PeerEvents, SocketData>({
  tasks: new URL("../../workers/", import.meta.url),
  http: serveFolder(new URL("./page/", import.meta.url)),
  async setup(io, box) {
    const chat = new Chat(io, box);

    io.on("connection", (socket) => {
      const turns = new Turns();
      socket.on("join", (request, ack) =>
        answer(ack, () => {
          const checked = parseJoin(request, socket.data.claims?.sub);
          return turns.take(() => chat.join(socket, checked));
        }),
      );
      socket.on("send", (request, ack) =>
        answer(ack, () => {
          const checked = parseSend(request);
          return turns.take(() => chat.send(socket, checked));
        }),
      );
      socket.on("draw", (request, ack) => answer(ack, () => chat.draw(socket, parseDraw(request))));
      socket.on("typing", () => refuseAloud(socket, () => chat.typing(socket)));
      socket.on("seen", (messageId) => refuseAloud(socket, () => chat.seen(socket, parseMessageId(messageId))));
    });

    await chat.start();
  },
});
