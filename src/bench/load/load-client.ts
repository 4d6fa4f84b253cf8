// One client of the load test as an app's user has it: it connects, enters its room, sends when it is its turn, and
// comes back when the connection breaks, with the stock client's delays. What arrives goes to the listener unparsed.
//
//   waiting --connect()--> connecting --CONNECT, join--> ready --break--> away --delay--> connecting ...
//      \______________________leave(), kicked, given up: gone_________________________/

import { fillTemplate, type TemplateValues } from "../fill-template.ts";
import { AckBook } from "../ledger/ack-book.ts";
import type { Member } from "../ledger/room-ledger.ts";
import { nowUs } from "./clock.ts";
import { ackedNumber, type FrameTemplate } from "./frame-template.ts";
import { type ClientSpec, type LoadScript, roomName, userName } from "./script.ts";
import { Session } from "./session.ts";
import { type EndReason, WireConnection, type WireEvents } from "./wire-connection.ts";

export type ClientState = "waiting" | "connecting" | "ready" | "away" | "gone";

/** What the run wants to know of its clients. */
export interface ClientListener {
  onAttempt(client: LoadClient): void;
  /** The server gave it a new session: what was sent while it was away will not come. Messages may come at once. */
  onNewSession(client: LoadClient): void;
  /** It is in its room. `isFirst`: it was never in before; `isRecovered`: the server took its session up again. */
  onReady(client: LoadClient, isFirst: boolean, isRecovered: boolean): void;
  onSlot(client: LoadClient, slot: unknown): void;
  onHung(client: LoadClient): void;
  onEnd(client: LoadClient, reason: EndReason): void;
  onEvent(client: LoadClient, buffer: Buffer, start: number, end: number): void;
  onAck(client: LoadClient, number: number, buffer: Buffer, start: number, end: number): void;
  /** Sent without a known outcome: the connection broke before the ack. */
  onUncertain(client: LoadClient, numbers: readonly number[]): void;
  onSent(client: LoadClient, dueUs: number): void;
}

interface Waiting {
  readonly number: number;
  readonly dueUs: number;
}

const HELLO_ACK = 1;
const JOIN_ACK = 2;
/** The stock client's: 1 s, doubled each time up to 5 s, half more or less by chance. */
const RETRY_MS = 1000;
const MAX_RETRY_MS = 5000;
const MAX_WAITING = 10_000;

export class LoadClient implements WireEvents {
  readonly spec: ClientSpec;
  readonly acks = new AckBook();
  /** Its place in the ledger; `undefined` in no room, or before traffic. */
  member: Member | undefined;
  state: ClientState = "waiting";
  /** When its present wait to be connected began, on the machine's clock. */
  dueUs = 0;
  /** When the last CONNECT reply came. */
  connectedUs = 0;
  lastArrivalUs = 0;
  longestGapUs = 0;
  readonly mask: Uint8Array;
  readonly #script: LoadScript;
  readonly #listener: ClientListener;
  readonly #session = new Session();
  readonly #url: URL;
  readonly #waiting: Waiting[] = [];
  #frames: { template: FrameTemplate; room: number; asksAck: boolean } | undefined;
  #connection: WireConnection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #missingAcks = 0;
  #isRecovered = false;
  #hasBeenReady = false;
  #failures = 0;
  #sent = 0;

  constructor(spec: ClientSpec, script: LoadScript, url: URL, listener: ClientListener) {
    this.spec = spec;
    this.#script = script;
    this.#url = url;
    this.#listener = listener;
    this.mask = Uint8Array.of(spec.id, spec.id >>> 8, 0x5a, 0xa5);
  }

  /** It was in its room at least once. */
  get hasBeenReady(): boolean {
    return this.#hasBeenReady;
  }

  /** Messages it has numbered: they left, or wait until it is back (`waitingToSend`). */
  get sent(): number {
    return this.#sent;
  }

  get waitingToSend(): number {
    return this.#waiting.length;
  }

  /** Its turn to connect came at `dueUs`. */
  connect(dueUs: number): void {
    this.dueUs = dueUs;
    this.#open();
  }

  /** What it sends from now on, and to which room. */
  equip(template: FrameTemplate, room: number, asksAck: boolean): void {
    this.#frames = { template, room, asksAck };
  }

  /** Sends its next message, due at `dueUs` of traffic, or keeps it until it is back, as the stock client does. False: too many are kept. */
  send(dueUs: number): boolean {
    if (this.#frames === undefined || this.#waiting.length >= MAX_WAITING) return false;
    const message = { number: this.#sent++, dueUs };
    if (this.state === "ready") this.#transmit(message);
    else this.#waiting.push(message);
    return true;
  }

  /** Loses its network for `forMs`. */
  dropOut(forMs: number, how: "reset" | "silent"): void {
    if (this.state !== "ready") return;
    if (how === "reset") this.#connection?.reset();
    else this.#connection?.abandon();
    this.#goAway(forMs);
  }

  /** Leaves for good. */
  leave(): void {
    this.#connection?.close();
    this.#become("gone");
  }

  // What follows comes from the connection.

  onConnect(reply: string): void {
    this.connectedUs = nowUs();
    this.#isRecovered = this.#session.accept(reply);
    if (this.#isRecovered) {
      this.#becomeReady();
      return;
    }
    this.#listener.onNewSession(this);
    this.#enter();
  }

  onEvent(buffer: Buffer, start: number, end: number): void {
    this.#session.noteEvent(buffer, start, end);
    this.#listener.onEvent(this, buffer, start, end);
  }

  onAck(buffer: Buffer, start: number, end: number): void {
    const number = ackedNumber(buffer, start, end);
    if (number >= 0) this.#listener.onAck(this, number, buffer, start, end);
    else this.#onEntryAck(buffer.toString("utf8", start, end));
  }

  onEnd(reason: EndReason): void {
    this.#listener.onEnd(this, reason);
    if (reason === "kicked") this.#become("gone");
    else this.#retry();
  }

  /** Answers an event that asks for an ack; `id` are its digits. */
  answer(id: string): void {
    this.#connection?.sendText(`43${id}[]`);
  }

  #open(): void {
    this.#become("connecting");
    this.#listener.onAttempt(this);
    const { protocol, connectDeadlineMs } = this.#script;
    const localAddress = sourceAddress(this.#url, this.spec.id);
    const auth = protocol.auth && fillTemplate(protocol.auth, this.#values());
    const connectPacket = this.#session.connectPacket(auth);
    this.#connection = new WireConnection(
      { url: this.#url, localAddress, target: this.#requestTarget(), connectPacket, mask: this.mask },
      this,
    );
    this.#timer = setTimeout(() => this.#onHung(), connectDeadlineMs);
  }

  #onHung(): void {
    this.#connection?.reset();
    this.#listener.onHung(this);
    this.#retry();
  }

  /** After CONNECT of a new session: says hello, enters the room, and is ready when both are acked. */
  #enter(): void {
    const { protocol, asksSlot } = this.#script;
    const { hello, join } = protocol.events;
    this.#missingAcks = 0;
    if (asksSlot && hello !== undefined) this.#request(HELLO_ACK, [hello.event, ...hello.args]);
    if (this.spec.room >= 0 && join !== undefined) {
      this.#request(join.ack ? JOIN_ACK : undefined, [join.event, ...join.args]);
    }
    if (this.#missingAcks === 0) this.#becomeReady();
  }

  #request(ackId: number | undefined, template: readonly unknown[]): void {
    if (ackId !== undefined) this.#missingAcks++;
    const event = fillTemplate(template, this.#values());
    this.#connection?.sendText(`42${ackId ?? ""}${JSON.stringify(event)}`);
  }

  #onEntryAck(packet: string): void {
    if (packet.startsWith(`43${HELLO_ACK}[`)) {
      const [answer] = JSON.parse(packet.slice(3)) as [{ slot?: unknown } | undefined];
      this.#listener.onSlot(this, answer?.slot);
    }
    if (--this.#missingAcks === 0) this.#becomeReady();
  }

  #becomeReady(): void {
    this.#become("ready");
    const isFirst = !this.#hasBeenReady;
    this.#hasBeenReady = true;
    this.#failures = 0;
    this.#listener.onReady(this, isFirst, this.#isRecovered);
    for (const message of this.#waiting.splice(0)) this.#transmit(message);
  }

  #transmit({ number, dueUs }: Waiting): void {
    if (this.#frames === undefined) return;
    const { template, room, asksAck } = this.#frames;
    if (asksAck) this.acks.opened(number, dueUs);
    this.#connection?.write(template.make({ sender: this.spec.id, room, number, dueUs }));
    this.#listener.onSent(this, dueUs);
  }

  #retry(): void {
    const isNew = !this.#hasBeenReady;
    if (isNew && nowUs() >= this.dueUs + this.#script.connectRetryMs * 1000) {
      this.#become("gone");
      return;
    }
    const delayMs = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** this.#failures++);
    this.#goAway(delayMs * (0.5 + Math.random()));
  }

  #goAway(forMs: number): void {
    this.#become("away");
    const numbers = this.acks.abandonAll();
    if (numbers.length > 0) this.#listener.onUncertain(this, numbers);
    this.#timer = setTimeout(() => this.#open(), forMs);
  }

  #become(state: ClientState): void {
    clearTimeout(this.#timer);
    this.state = state;
  }

  #requestTarget(): string {
    const { protocol, tellsRoom } = this.#script;
    const query = new URLSearchParams({ EIO: "4", transport: "websocket" });
    for (const [name, value] of Object.entries(fillTemplate(protocol.query ?? {}, this.#values()) as object)) {
      query.set(name, String(value));
    }
    if (tellsRoom && this.spec.room >= 0) query.set("room", roomName(this.spec.room));
    return `${protocol.path ?? "/socket.io/"}?${query}`;
  }

  #values(): TemplateValues {
    return { user: userName(this.spec.id), room: roomName(this.spec.room) };
  }
}

/** Many addresses of this machine: one alone has some 28,000 ports, and servers may count by address. */
const SOURCE_ADDRESSES = 50;

function sourceAddress(url: URL, id: number): string | undefined {
  if (!url.hostname.startsWith("127.")) return undefined;
  return `127.0.0.${2 + (id % SOURCE_ADDRESSES)}`;
}
