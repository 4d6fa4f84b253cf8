// A member of a history that costs little: the bench's bare connection, which recovers as the stock client does.
// One process holds a thousand of them.

import { Session } from "../../src/bench/load/session.ts";
import { type EndReason, WireConnection } from "../../src/bench/load/wire-connection.ts";
import { Member } from "./history.ts";

const TARGET = "/socket.io/?EIO=4&transport=websocket";
const MASK = Uint8Array.of(1, 2, 3, 4);
const MIN_DELAY_MS = 50;
const MORE_DELAY_MS = 450;

interface Sending {
  readonly event: string;
  readonly args: readonly unknown[];
  readonly onAck: () => void;
}

export class LightMember extends Member {
  readonly #url: URL;
  readonly #session = new Session();
  readonly #waiting: Sending[] = [];
  readonly #acks = new Map<number, () => void>();
  #wire: WireConnection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isConnected = false;
  #lastAck = 0;
  #cuts = 0;

  constructor(url: string, name: string, room: string) {
    super(name, room);
    this.#url = new URL(url);
    this.#open();
  }

  override get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Every third time the server is not told: the old connection stays open when the new one comes. */
  override cut(): void {
    if (!this.#isConnected) return;
    this.#cuts++;
    if (this.#cuts % 3 === 0) this.#wire?.abandon();
    else this.#wire?.reset();
    this.#comeBack();
  }

  override leave(): void {
    clearTimeout(this.#timer);
    this.#isConnected = false;
    this.#wire?.close();
  }

  protected override emit(event: string, args: readonly unknown[], onAck: () => void): void {
    const sending = { event, args, onAck };
    if (this.#isConnected) this.#send(sending);
    else this.#waiting.push(sending);
  }

  #open(): void {
    const connectPacket = this.#session.connectPacket(undefined);
    const options = { url: this.#url, localAddress: undefined, target: TARGET, connectPacket, mask: MASK };
    this.#wire = new WireConnection(options, {
      onConnect: (reply) => this.#onConnect(reply),
      onEvent: (buffer, start, end) => {
        this.#session.noteEvent(buffer, start, end);
        const [event, ...args] = JSON.parse(buffer.toString("utf8", start + 2, end)) as unknown[];
        this.onEvent(event, args);
      },
      onAck: (buffer, start, end) => this.#onAck(buffer.toString("utf8", start + 2, end)),
      onEnd: (reason) => this.#onEnd(reason),
    });
  }

  #onConnect(reply: string): void {
    const isRecovered = this.#session.accept(reply);
    this.#isConnected = true;
    for (const sending of this.#waiting.splice(0)) this.#send(sending);
    this.onConnected(isRecovered);
  }

  #onAck(packet: string): void {
    const id = Number.parseInt(packet, 10);
    this.#acks.get(id)?.();
    this.#acks.delete(id);
  }

  #onEnd(reason: EndReason): void {
    if (reason === "kicked") throw new Error(`${this.name} was told not to come back`);
    this.#comeBack();
  }

  #send({ event, args, onAck }: Sending): void {
    this.#lastAck++;
    this.#acks.set(this.#lastAck, onAck);
    this.#wire?.sendText(`42${this.#lastAck}${JSON.stringify([event, ...args])}`);
  }

  /** What was not acked is lost to it, as to the stock client. */
  #comeBack(): void {
    this.#isConnected = false;
    this.#acks.clear();
    this.#timer = setTimeout(() => this.#open(), MIN_DELAY_MS + Math.random() * MORE_DELAY_MS);
  }
}
