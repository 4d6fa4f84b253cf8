// The messages of the room on the screen, in the room's order; what is still on its way comes last.

import { find } from "./dom.ts";
import { MessageView } from "./message-view.ts";
import type { Author, ChatMessage } from "./protocol.ts";

/** Older ones leave the screen. */
const MAX_SHOWN = 300;
/** Messages of one person within this time stand together. */
const TOGETHER_MS = 5 * 60_000;

interface Entry {
  readonly id: string;
  readonly view: MessageView;
  readonly author: Author;
  /** Absent while the box has not confirmed it. */
  message?: ChatMessage;
}

export interface MessageListHooks {
  readonly isOwn: (author: Author) => boolean;
  /** The picture of a message that is one. */
  readonly makePicture: (message: ChatMessage) => HTMLElement | undefined;
  /** It has left the screen. */
  readonly onGone: (id: string) => void;
}

export class MessageList {
  readonly #log: HTMLElement;
  readonly #hooks: MessageListHooks;
  #entries: Entry[] = [];

  constructor(log: HTMLElement, hooks: MessageListHooks) {
    this.#log = log;
    this.#hooks = hooks;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** The latest message that the box has confirmed. */
  get last(): ChatMessage | undefined {
    return this.#entries.findLast(({ message }) => message !== undefined)?.message;
  }

  clear(): void {
    this.#entries = [];
    this.#log.replaceChildren();
  }

  /** What somebody just typed, at the end. */
  addWaiting(id: string, author: Author, text: string): void {
    const view = new MessageView(author, true);
    view.showWaiting(text);
    this.#insert({ id, author, view }, this.#entries.length);
  }

  viewOf(id: string): MessageView | undefined {
    return this.#entries.find((entry) => entry.id === id)?.view;
  }

  /** Returns whether it is new on this screen. */
  add(message: ChatMessage): boolean {
    const known = this.#entries.find(({ id }) => id === message.id);
    if (known?.message !== undefined) return false;

    const { id, author } = message;
    const view = known?.view ?? new MessageView(author, this.#hooks.isOwn(author));
    if (known !== undefined) this.#entries.splice(this.#entries.indexOf(known), 1);
    view.show(message, this.#hooks.makePicture(message));
    this.#insert({ id, author, view, message }, this.#placeOf(message));
    return known === undefined;
  }

  /** Somebody has seen everything up to that message. */
  markSeen(messageId: string, by: Author): void {
    const last = this.#entries.findIndex(({ id }) => id === messageId);
    for (const { message, view } of this.#entries.slice(0, last + 1)) {
      if (message !== undefined && this.#hooks.isOwn(message.author)) view.seenBy(by);
    }
  }

  #placeOf({ at, id }: ChatMessage): number {
    // What failed stays where it was; what is on its way is always last.
    const isBefore = ({ message, view }: Entry): boolean =>
      message === undefined ? view.hasFailed : message.at < at || (message.at === at && message.id < id);
    return this.#entries.findLastIndex(isBefore) + 1;
  }

  #insert(entry: Entry, index: number): void {
    const next = this.#entries[index]?.view.element ?? null;
    const { element } = entry.view;
    // Moving an element would make screen readers say it again.
    if (element.nextElementSibling !== next || !element.isConnected) this.#log.insertBefore(element, next);
    this.#entries.splice(index, 0, entry);
    this.#joinWithNeighbours(index);
    this.#joinWithNeighbours(index + 1);
    while (this.#entries.length > MAX_SHOWN) this.#removeOldest();
  }

  #removeOldest(): void {
    const oldest = this.#entries.shift();
    if (oldest === undefined) return;
    oldest.view.element.remove();
    this.#hooks.onGone(oldest.id);
  }

  /** Name and face are shown once for a row of messages. */
  #joinWithNeighbours(index: number): void {
    const [before, entry] = [this.#entries[index - 1], this.#entries[index]];
    if (entry === undefined) return;
    const isSame = before?.author.user === entry.author.user && before.author.name === entry.author.name;
    const gapMs = (entry.message?.at ?? 0) - (before?.message?.at ?? 0);
    const isTogether = isSame && (entry.message === undefined || gapMs < TOGETHER_MS);
    entry.view.element.classList.toggle("follows", isTogether);
    find(entry.view.element, ".author", HTMLElement).classList.toggle("hidden-label", isTogether);
  }
}
