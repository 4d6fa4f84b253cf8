// One message on the screen: waiting, sent, reached, seen, or failed.

import { hueOfNumber, hueOfText, setHue } from "./colours.ts";
import { copyTemplate, find, setText } from "./dom.ts";
import type { Author, ChatMessage } from "./protocol.ts";
import { setRenderedHtml } from "./trusted-html.ts";

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const TICKS = { sending: "icon-clock", sent: "icon-check", reached: "icon-checks", failed: "icon-warning" } as const;
/** More names than this are a number. */
const MAX_SEEN_NAMES = 3;

export class MessageView {
  readonly element = copyTemplate("message-template");
  readonly #body = find(this.element, ".body", HTMLElement);
  readonly #footer = find(this.element, "footer", HTMLElement);
  readonly #tickText = find(this.element, ".tick-text", HTMLElement);
  readonly #tick = find(this.element, ".tick", SVGElement);
  readonly #retry = find(this.element, ".retry", HTMLButtonElement);
  readonly #seenBy = new Map<string, string>();
  #pages: number | undefined;

  constructor(author: Author, isOwn: boolean) {
    this.element.classList.toggle("own", isOwn);
    this.element.dataset.user = author.user;
    setHue(this.element, hueOfText(author.user));
    find(this.element, ".avatar", HTMLElement).textContent = initialOf(author.name);
    find(this.element, ".author", HTMLElement).textContent = isOwn ? "You" : author.name;
    this.#footer.hidden = !isOwn;
  }

  get hasFailed(): boolean {
    return this.element.classList.contains("failed");
  }

  /** As typed, until the box has answered. */
  showWaiting(text: string): void {
    this.#body.textContent = text;
    this.#body.classList.add("plain");
    this.element.classList.remove("failed");
    this.#retry.hidden = true;
    this.#showTick("sending", "Sending");
  }

  /** `picture` stands in for the text of a message that is one. */
  show(message: ChatMessage, picture: HTMLElement | undefined): void {
    const { text, html, at, worker } = message;
    this.element.dataset.id = message.id;
    if (picture !== undefined) this.#body.replaceChildren(picture);
    else if (html !== undefined) setRenderedHtml(this.#body, html);
    else this.#body.textContent = text;
    this.#body.classList.toggle("plain", picture === undefined && html === undefined);
    showWorker(find(this.element, ".worker-badge", HTMLElement), worker.slot, worker.pid);
    const time = find(this.element, "time", HTMLTimeElement);
    const date = new Date(at);
    time.dateTime = date.toISOString();
    time.title = date.toLocaleString();
    time.textContent = TIME.format(date);
    this.#showProgress();
  }

  showNote(text: string): void {
    setText(find(this.element, ".note", HTMLElement), text);
  }

  showFailed(why: string, onRetry: (() => void) | undefined): void {
    this.element.classList.add("failed");
    this.#retry.hidden = onRetry === undefined;
    this.#retry.onclick = onRetry ?? null;
    this.#showTick("failed", `Not sent. ${why}`);
  }

  reached(pages: number): void {
    this.#pages = pages;
    this.#showProgress();
  }

  seenBy({ user, name }: Author): void {
    this.#seenBy.set(user, name);
    this.#showProgress();
  }

  #showProgress(): void {
    const names = [...this.#seenBy.values()];
    this.#tick.classList.toggle("seen", names.length > 0);
    if (names.length > MAX_SEEN_NAMES) this.#showTick("reached", `Seen by ${names.length}`);
    else if (names.length > 0) this.#showTick("reached", `Seen by ${names.join(", ")}`);
    else if (this.#pages === undefined || this.#pages === 0) this.#showTick("sent", "Sent");
    else this.#showTick("reached", `Reached ${this.#pages} ${this.#pages === 1 ? "tab" : "tabs"}`);
  }

  #showTick(tick: keyof typeof TICKS, text: string): void {
    this.#tickText.textContent = text;
    this.#tick.dataset.tick = tick;
    find(this.#tick, "use", SVGUseElement).setAttribute("href", `#${TICKS[tick]}`);
  }
}

export function showWorker(badge: HTMLElement, slot: number, pid: number): void {
  badge.textContent = `worker ${slot}`;
  badge.title = `Process ${pid}`;
  setHue(badge, hueOfNumber(slot));
}

/** The first letter as a reader sees it, whatever it is made of. */
export function initialOf(name: string): string {
  for (const { segment } of new Intl.Segmenter().segment(name)) return segment.toLocaleUpperCase();
  return "?";
}
