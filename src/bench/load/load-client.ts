// One client of the load test as an app's user has it: it connects, enters its room, sends when it is its turn, and
// comes back when the connection breaks, with the stock client's delays. What arrives goes to the listener unparsed.
//
//   waiting --connect()--> connecting --CONNECT, join--> ready --break--> away --delay--> connecting ...
//      \______________________leave(), kicked, given up: gone_________________________/

import { fillTemplate } from "../fill-template.ts";
import type { Member } from "../ledger/member.ts";
import { nowUs } from "./clock.ts";
import { ackedNumber } from "./frame-template.ts";
import { composeHandshake, type Handshake } from "./handshake.ts";
import { Outbox } from "./outbox.ts";
import type { ClientSpec, LoadScript } from "./script.ts";
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
  onSent(client: LoadClient): void;
}

const HELLO_ACK = 1;
const JOIN_ACK = 2;
/** The stock client's: 1 s, doubled each time up to 5 s, half more or less by chance. */
const RETRY_MS = 1000;
const MAX_RETRY_MS = 5000;

export class LoadClient implements WireEvents {
  readonly spec: ClientSpec;
  readonly mask: Uint8Array;
  readonly outbox: Outbox;
  /** Its place in the ledger; `undefined` in no room, or before traffic. */
  member: Member | undefined;
  state: ClientState = "waiting";
  /** It was in its room at least once. */
  hasBeenReady = false;
  /** When its turn to connect came, on the machine's clock. */
  dueUs = 0;
  /** When the last CONNECT reply came. */
  connectedUs = 0;
  lastArrivalUs = 0;
  longestGapUs = 0;
  readonly #script: LoadScript;
  readonly #listener: ClientListener;
  readonly #handshake: Handshake;
  readonly #session = new Session();
  #connection: WireConnection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #missingAcks = 0;
  #isRecovered = false;
  #hasEntered = false;
  #failures = 0;

  constructor(spec: ClientSpec, script: LoadScript, url: URL, listener: ClientListener) {
    this.spec = spec;
    this.mask = Uint8Array.of(spec.id, spec.id >>> 8, 0x5a, 0xa5);
    this.#script = script;
    this.#listener = listener;
    this.#handshake = composeHandshake(spec, script, url);
    this.outbox = new Outbox(spec.id, (frame) => {
      this.#connection?.write(frame);
      listener.onSent(this);
    });
  }

  /** Its turn to connect came at `dueUs`. */
  connect(dueUs: number): void {
    this.dueUs = dueUs;
    this.#open();
  }

  /** Sends its next message, due at `dueUs` of traffic, now or when it is back. False when too many wait already. */
  send(dueUs: number): boolean {
    return this.outbox.send(dueUs, this.state === "ready");
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

  /** Answers an event that asks for an ack; `id` are its digits. */
  answer(id: string): void {
    this.#connection?.sendText(`43${id}[]`);
  }

  // What follows comes from the connection.

  onConnect(reply: string): void {
    this.connectedUs = nowUs();
    this.#isRecovered = this.#session.accept(reply);
    if (!this.#isRecovered) {
      this.#hasEntered = false;
      this.#listener.onNewSession(this);
    }
    // A session may break before it has entered its room, and be recovered all the same.
    if (this.#hasEntered) this.#becomeReady();
    else this.#enter();
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

  #open(): void {
    this.#become("connecting");
    this.#listener.onAttempt(this);
    const { url, localAddress, target, auth } = this.#handshake;
    const connectPacket = this.#session.connectPacket(auth);
    this.#connection = new WireConnection({ url, localAddress, target, connectPacket, mask: this.mask }, this);
    this.#timer = setTimeout(() => this.#onHung(), this.#script.connectDeadlineMs);
  }

  #onHung(): void {
    this.#connection?.reset();
    this.#listener.onHung(this);
    this.#retry();
  }

  /** Says hello, enters the room, and is ready when both are acked. */
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
    const event = fillTemplate(template, this.#handshake.values);
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
    const isFirst = !this.hasBeenReady;
    this.hasBeenReady = true;
    this.#hasEntered = true;
    this.#failures = 0;
    this.#listener.onReady(this, isFirst, this.#isRecovered);
    this.outbox.flush();
  }

  #retry(): void {
    if (!this.hasBeenReady && nowUs() >= this.dueUs + this.#script.connectRetryMs * 1000) {
      this.#become("gone");
      return;
    }
    const delayMs = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** this.#failures++);
    this.#goAway(delayMs * (0.5 + Math.random()));
  }

  #goAway(forMs: number): void {
    this.#become("away");
    const numbers = this.outbox.acks.abandonAll();
    if (numbers.length > 0) this.#listener.onUncertain(this, numbers);
    this.#timer = setTimeout(() => this.#open(), forMs);
  }

  #become(state: ClientState): void {
    clearTimeout(this.#timer);
    this.state = state;
  }
}
