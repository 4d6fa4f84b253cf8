// What the chat does for a room: letting people in, taking messages, passing on who has seen what, drawing.
// Everything it is given has been checked; what it refuses, it throws.

import { errorFields } from "../lib/logger.ts";
import {
  type ChatBox,
  type ChatServer,
  type ChatSocket,
  channelOf,
  type Member,
  personalChannelOf,
} from "./chat-server.ts";
import { HistorySync } from "./history-sync.ts";
import { identify } from "./identify.ts";
import {
  type ChatMessage,
  type Drawn,
  type DrawRequest,
  FRACTAL,
  type FractalView,
  type Joined,
  type JoinRequest,
  type SendRequest,
  type Sent,
  type WorkerLabel,
} from "./page/protocol.ts";
import { ChatRefusal, parseFractal } from "./parse-requests.ts";
import { Pictures } from "./pictures.ts";
import { renderText } from "./render-text.ts";
import { RoomHistory } from "./room-history.ts";
import { seenByAuthor } from "./seen-by-author.ts";

/** How long pages may take to confirm a message before the author is told how many did. */
const CONFIRM_WAIT_MS = 5000;
const ALL_TILES = Array.from({ length: FRACTAL.tileCount }, (_, index) => index);

export class Chat {
  readonly #io: ChatServer;
  readonly #box: ChatBox;
  readonly #worker: WorkerLabel;
  readonly #history = new RoomHistory();
  readonly #sync: HistorySync;
  readonly #pictures: Pictures;

  constructor(io: ChatServer, box: ChatBox) {
    this.#io = io;
    this.#box = box;
    this.#pictures = new Pictures(box);
    this.#worker = { slot: box.slot, pid: process.pid };
    this.#sync = new HistorySync({
      io,
      history: this.#history,
      slot: box.slot,
      incarnation: box.incarnation,
      workers: box.options.workers,
    });
  }

  /** Resolves when this worker knows what was said before it started. */
  start(): Promise<void> {
    return this.#sync.copy();
  }

  /** Joining the same room again only brings everything up to date. */
  async join(socket: ChatSocket, request: JoinRequest): Promise<Joined> {
    const { room } = request;
    const you = identify(request, socket.data.claims?.sub);
    if (socket.data.member?.room !== room) await this.#leave(socket);

    const member: Member = { room, author: you };
    const channel = channelOf(room);
    await socket.join([channel, personalChannelOf(member)]);
    const { version, members } = await this.#box.presence.join(socket, channel, {
      user: you.user,
      info: { name: you.name },
    });
    socket.data.member = member;
    return {
      room,
      you,
      worker: this.#worker,
      workers: this.#box.options.workers,
      presence: { version, members },
      history: this.#history.messagesOf(room),
    };
  }

  async send(socket: ChatSocket, { id, text }: SendRequest): Promise<Sent> {
    const { room, author } = memberOf(socket);
    const known = this.#history.find(room, id);
    if (known?.author.user === author.user) return { message: known };
    if (known !== undefined) throw new ChatRefusal("CHAT_ERR_REQUEST", "Somebody else's message has this id.");

    const fractal = parseFractal(text);
    if (fractal !== undefined) return this.#sendFractal(socket, { id, text }, fractal);
    const rendered = await renderText(this.#box, text);
    const html = "html" in rendered && { html: rendered.html };
    const message: ChatMessage = { id, author, text, ...html, at: Date.now(), worker: this.#worker };
    this.#publish(socket, room, message);
    return { message, ...("plain" in rendered && { plain: rendered.plain }) };
  }

  typing(socket: ChatSocket): void {
    const { room, author } = memberOf(socket);
    socket.volatile.to(channelOf(room)).emit("typing", author);
  }

  /** Tells those whose messages were seen, and nobody else: a big room would drown in it. */
  seen(socket: ChatSocket, messageId: string): void {
    const member = memberOf(socket);
    const { room, author: by } = member;
    const lastOfAuthors = seenByAuthor(this.#history.messagesOf(room), messageId, socket.data.seenUpTo);
    socket.data.seenUpTo = messageId;
    for (const { id, author } of lastOfAuthors) {
      if (author.user !== by.user) this.#io.to(personalChannelOf({ room, author })).emit("seen", id, by);
    }
  }

  /** Draws again for one page, as long as it is there. */
  async draw(socket: ChatSocket, { messageId, tiles }: DrawRequest): Promise<Drawn> {
    const { room } = memberOf(socket);
    const view = this.#history.find(room, messageId)?.fractal;
    if (view === undefined) throw new ChatRefusal("CHAT_ERR_REQUEST", "This picture is no longer in the history.");

    const gone = new AbortController();
    const onDisconnect = (): void => gone.abort();
    socket.once("disconnect", onDisconnect);
    const picture = { messageId, view, tiles, signal: gone.signal };
    const { drawn, error } = await this.#pictures.draw(socket, picture, (tile) => socket.emit("tile", tile));
    socket.off("disconnect", onDisconnect);
    if (error !== undefined) throw error;
    return { drawn };
  }

  async #leave(socket: ChatSocket): Promise<void> {
    const { member } = socket.data;
    if (member === undefined) return;
    delete socket.data.member;
    this.#box.presence.leave(socket, channelOf(member.room));
    await socket.leave(channelOf(member.room));
    await socket.leave(personalChannelOf(member));
  }

  #sendFractal(socket: ChatSocket, { id, text }: SendRequest, fractal: FractalView): Sent {
    const { room, author } = memberOf(socket);
    const channel = this.#io.to(channelOf(room));
    const picture = { messageId: id, view: fractal, tiles: ALL_TILES };
    const drawing = this.#pictures.draw(socket, picture, (tile) => channel.emit("tile", tile));
    void drawing.then(({ error }) => {
      // Pages notice which tiles they miss and ask for them.
      if (error !== undefined) this.#box.log.warn(errorFields(error), "a picture was not finished");
    });

    const message: ChatMessage = { id, author, text, fractal, at: Date.now(), worker: this.#worker };
    this.#publish(socket, room, message);
    return { message };
  }

  #publish(socket: ChatSocket, room: string, message: ChatMessage): void {
    this.#sync.add(room, message);
    socket
      .to(channelOf(room))
      .timeout(CONFIRM_WAIT_MS)
      .emit("message", message, (_error: Error | null, confirmed: unknown[]) => {
        socket.emit("reached", message.id, confirmed.length);
      });
  }
}

function memberOf(socket: ChatSocket): Member {
  const { member } = socket.data;
  if (member === undefined) throw new ChatRefusal("CHAT_ERR_NOT_JOINED", "Join a room first.");
  return member;
}
