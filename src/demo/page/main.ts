// The page: puts its parts together.

import { Composer } from "./composer.ts";
import { Connection } from "./connection.ts";
import { Cores } from "./cores.ts";
import { byId, setText } from "./dom.ts";
import { Door } from "./door.ts";
import { Gallery } from "./gallery.ts";
import { kindWords } from "./kind-words.ts";
import { MessageList } from "./message-list.ts";
import { Outbox } from "./outbox.ts";
import { People } from "./people.ts";
import type { Author, ChatMessage, FractalView, Joined } from "./protocol.ts";
import { ReadReceipts } from "./read-receipts.ts";
import { Scroller } from "./scroller.ts";
import { Typing } from "./typing.ts";

const NOTICE_MS = 6000;

const chat = byId("chat", HTMLElement);
const live = byId("live", HTMLElement);
const welcome = byId("welcome", HTMLElement);
const notice = byId("notice", HTMLElement);

let you: Author | undefined;
let room = "";
let unread = 0;
let noticeTimer: number | undefined;

const people = new People();
const cores = new Cores();
const connection = new Connection({
  onJoined,
  onRefused: (refusal) => leave(() => door.open(refusal)),
  onUnreachable: (words) => door.say(words),
});
const { socket } = connection;
const typing = new Typing(socket);
const gallery = new Gallery(socket, (view) => say(commandFor(view)));
const list = new MessageList(byId("log", HTMLElement), {
  isOwn: ({ user }) => user === you?.user,
  makePicture: ({ id, fractal }) => fractal && gallery.add(id, fractal),
  onGone: (id) => gallery.remove(id),
});
const outbox = new Outbox(connection, list);
const scroller = new Scroller(() => receipts.update());
const receipts = new ReadReceipts(connection, list, scroller);
const composer = new Composer({ onText: say, onTyping: () => typing.say() });
const door = new Door((request, token) => connection.open(request, token));

socket.on("message", (message, confirm) => {
  confirm(true);
  typing.stop(message.author.user);
  cores.flash(message.worker);
  if (show(message)) onNews();
});
socket.on("reached", (id, pages) => list.viewOf(id)?.reached(pages));
socket.on("seen", (id, by) => list.markSeen(id, by));
socket.on("presence:diff", (diff) => {
  if (!people.apply(diff)) connection.rejoin();
});
socket.on("allcores:error", (refusal) => showNotice(kindWords(refusal)));

document.addEventListener("visibilitychange", showTitle);
byId("leave", HTMLButtonElement).addEventListener("click", () => leave(() => door.open()));
for (const place of document.querySelectorAll<HTMLButtonElement>(".place")) {
  place.addEventListener("click", () => say(place.dataset.text ?? ""));
}

function onJoined(joined: Joined): void {
  const isNewRoom = chat.hidden || room !== joined.room;
  you = joined.you;
  room = joined.room;
  if (isNewRoom) enter();
  cores.show(joined.worker, joined.workers);
  people.reset(joined.presence, joined.you.user);
  showAll(joined.history);
  gallery.hurry();
  outbox.resend();
}

function enter(): void {
  list.clear();
  gallery.clear();
  outbox.clear();
  typing.clear();
  door.close();
  chat.hidden = false;
  byId("room-title", HTMLElement).textContent = room;
  showTitle();
  scroller.toEnd();
  composer.focus();
}

function leave(then: () => void): void {
  connection.close();
  byId("side", HTMLElement).hidePopover();
  chat.hidden = true;
  unread = 0;
  showTitle();
  then();
}

function say(text: string): void {
  if (you === undefined) return;
  typing.rest();
  outbox.send(you, text);
  welcome.hidden = true;
  scroller.toEnd();
}

/** Many at once are no news: screen readers are not made to read them all. */
function showAll(messages: readonly ChatMessage[]): void {
  live.setAttribute("aria-live", "off");
  for (const message of messages) show(message);
  requestAnimationFrame(() => live.setAttribute("aria-live", "polite"));
  welcome.hidden = !list.isEmpty;
  if (scroller.isAtEnd) scroller.toEnd();
  receipts.update();
}

function show(message: ChatMessage): boolean {
  welcome.hidden = true;
  return list.add(message);
}

function onNews(): void {
  scroller.onNew();
  receipts.update();
  if (document.visibilityState === "hidden") unread++;
  showTitle();
}

function commandFor({ x, y, zoom }: FractalView): string {
  return `/fractal ${x} ${y} ${zoom}`;
}

/** Counts what came while the page was in the back. */
function showTitle(): void {
  if (document.visibilityState === "visible") unread = 0;
  const count = unread > 0 ? `(${unread}) ` : "";
  document.title = chat.hidden ? "allcores chat" : `${count}${room} · allcores`;
}

function showNotice(text: string): void {
  clearTimeout(noticeTimer);
  setText(notice, text);
  noticeTimer = setTimeout(() => setText(notice, ""), NOTICE_MS);
}
