// What the box adapters of one worker share: the way to the hub, the way to the clients, and who gets what comes in.

import { decodePublish } from "../bus/hub-frames.ts";
import type { HubDownMessage, HubRestoredMessage } from "../bus/hub-messages.ts";
import type { BoxAdapter } from "./box-adapter.ts";
import type { Delivery } from "./delivery.ts";
import type { HubLink, HubReceiver } from "./hub-link.ts";
import { OpenQuestions } from "./open-questions.ts";

export interface RestoreCounts {
  /** A client came back: as it was, or why not. */
  readonly onRestore: (outcome: "recovered" | "unknown" | "expired" | "trimmed") => void;
}

export class BoxBus implements HubReceiver {
  readonly link: HubLink;
  readonly delivery: Delivery;
  readonly questions = new OpenQuestions();
  readonly #counts: RestoreCounts;
  readonly #adapters = new Map<string, BoxAdapter>();
  readonly #restores = new Map<number, (message: HubRestoredMessage, body: Buffer) => void>();
  #epoch = "";
  #workers = 1;
  #lastKey = 0;

  constructor(link: HubLink, delivery: Delivery, counts: RestoreCounts) {
    this.link = link;
    this.delivery = delivery;
    this.#counts = counts;
    link.receiver = this;
  }

  /** Names this life of the hub. */
  get epoch(): string {
    return this.#epoch;
  }

  /** Socket workers in the box. */
  get workers(): number {
    return this.#workers;
  }

  add(adapter: BoxAdapter): void {
    const namespace = adapter.nsp.name as string;
    this.#adapters.set(namespace, adapter);
    this.link.tell({ type: "hub:namespace", namespace });
  }

  remove(adapter: BoxAdapter): void {
    this.#adapters.delete(adapter.nsp.name);
  }

  adapterOf(namespace: string): BoxAdapter | undefined {
    return this.#adapters.get(namespace);
  }

  /** A new name for a socket, between this worker and the hub. */
  nextKey(): number {
    this.#lastKey++;
    return this.#lastKey;
  }

  /** Asks the hub for a session; `onRestored` is called at its place in the order. */
  restore(
    request: { readonly key: number; readonly namespace: string; readonly pid: string; readonly position: string },
    onRestored: (message: HubRestoredMessage, body: Buffer) => void,
  ): void {
    this.#restores.set(request.key, onRestored);
    this.link.tell({ type: "hub:restore", ...request });
  }

  onPublication(frame: Buffer): void {
    const publication = decodePublish(frame);
    this.#adapters.get(publication.namespace)?.messages.onPublication(publication, frame);
  }

  onMessage(message: HubDownMessage, body: Buffer): void {
    this.delivery.flush();
    switch (message.type) {
      case "hub:welcome":
        this.#epoch = message.epoch;
        break;
      case "hub:workers":
        this.#workers = message.count;
        break;
      case "hub:ordered":
        this.#adapters.get(message.namespace)?.onOrdered(body);
        break;
      case "hub:moved":
        this.#adapters.get(message.namespace)?.operations.onMoved(message);
        break;
      case "hub:question":
        this.#adapters.get(message.namespace)?.onQuestion(message, body);
        break;
      case "hub:asked":
        this.questions.onAsked(message.ticket, message.workers);
        break;
      case "hub:answered":
        this.questions.onAnswered(message, body);
        break;
      case "hub:restored":
        this.#counts.onRestore(typeof message.outcome === "string" ? message.outcome : "recovered");
        this.#restores.get(message.key)?.(message, body);
        this.#restores.delete(message.key);
        break;
      case "hub:evict":
        this.#adapters.get(message.namespace)?.returning.onEvict(message.sid, message.key);
        break;
    }
  }

  onBatchEnd(): void {
    this.delivery.flush();
  }
}
