// Everything that comes to the clients of one load process: read by byte offset, timed, and entered in the ledger.

import { keyOf } from "../ledger/message-key.ts";
import type { RoomLedger } from "../ledger/room-ledger.ts";
import { nowUs } from "./clock.ts";
import type { ClientListener, LoadClient } from "./load-client.ts";
import { findPayload, type MessageHead, payloadText, readHead } from "./payload.ts";
import { DELIVERY_LATENCY, type RunStats } from "./run-stats.ts";
import type { LoadScript } from "./script.ts";
import type { EndReason } from "./wire-connection.ts";

/** One client in so many has each event parsed as JSON and its payload compared in full. */
export const SAMPLE_EVERY = 50;

const BRACKET = 91;
const ACK_ID_AT = 2;
const BEFORE_TRAFFIC = Number.POSITIVE_INFINITY;

/** Traffic has begun: from here on messages have a place to go. */
export interface TrafficStart {
  readonly zeroUs: number;
  readonly ledger: RoomLedger;
  /** How many clients a question to a room reaches. */
  readonly membersOf: (room: number) => number;
}

export class Arrivals implements ClientListener {
  readonly slots = new Map<number, unknown>();
  readonly #stats: RunStats;
  readonly #script: LoadScript;
  readonly #head: MessageHead = { sender: 0, room: 0, number: 0, dueUs: 0 };
  readonly #uncertain: number[] = [];
  #traffic: TrafficStart | undefined;
  #zeroUs = BEFORE_TRAFFIC;
  #guess = 0;
  #acked = 0;
  #results = 0;
  #repeatedAcks = 0;
  #lostAnswers = 0;
  #uncertainResults = 0;
  #corrupt = 0;
  #lastReadyUs = 0;
  #lastArrivalUs = 0;

  constructor(script: LoadScript, stats: RunStats) {
    this.#script = script;
    this.#stats = stats;
  }

  /** When the last client came in for the first time. */
  get lastReadyUs(): number {
    return this.#lastReadyUs;
  }

  /** When anything last came: a message, an ack, or a client that is back. */
  get lastArrivalUs(): number {
    return this.#lastArrivalUs;
  }

  /** Messages of which nobody knows yet whether the server took them. */
  get uncertain(): readonly number[] {
    return this.#uncertain;
  }

  begin(traffic: TrafficStart): void {
    this.#traffic = traffic;
    this.#zeroUs = traffic.zeroUs;
  }

  report() {
    return {
      acked: this.#acked,
      results: this.#results,
      repeatedAcks: this.#repeatedAcks,
      lostAnswers: this.#lostAnswers,
      uncertainResults: this.#uncertainResults,
      corrupt: this.#corrupt,
    };
  }

  onAttempt(): void {
    this.#stats.connects.attempted++;
  }

  onNewSession(client: LoadClient): void {
    if (client.member !== undefined) this.#traffic?.ledger.loseSession(client.member);
  }

  onReady(client: LoadClient, isFirst: boolean, isRecovered: boolean): void {
    const { connects } = this.#stats;
    this.#lastArrivalUs = nowUs();
    if (isFirst) {
      this.#lastReadyUs = this.#lastArrivalUs;
      this.#stats.connected(client.dueUs, client.connectedUs);
      if (this.#traffic !== undefined) this.#joinLate(client, this.#traffic);
      return;
    }
    connects.returns++;
    if (isRecovered) connects.recovered++;
  }

  onSlot(client: LoadClient, slot: unknown): void {
    this.slots.set(client.spec.id, slot);
  }

  onHung(): void {
    this.#stats.connects.hung++;
  }

  onEnd(_client: LoadClient, reason: EndReason): void {
    if (reason === "refused") this.#stats.connects.refused++;
    if (reason === "kicked") this.#stats.connects.kicked++;
  }

  onSent(): void {
    this.#stats.sent(nowUs());
  }

  onUncertain(client: LoadClient, numbers: readonly number[]): void {
    if (!this.#isPublish(client)) this.#uncertainResults += numbers.length;
    else for (const number of numbers) this.#uncertain.push(keyOf(client.spec.id, number));
  }

  onEvent(client: LoadClient, buffer: Buffer, start: number, end: number): void {
    if (buffer[start + ACK_ID_AT] !== BRACKET) client.answer(ackIdOf(buffer, start, end));
    const at = this.#findHead(buffer, start, end);
    if (at < 0 || this.#traffic === undefined || client.member === undefined) return;
    const now = nowUs();
    this.#lastArrivalUs = now;
    const head = this.#head;
    this.#traffic.ledger.deliver(client.member, head);
    this.#stats.delivered(DELIVERY_LATENCY, this.#zeroUs + head.dueUs, now);
    this.noteGap(client, now);
    if (client.spec.id % SAMPLE_EVERY === 0 && !this.#isIntact(buffer, start, end)) this.#corrupt++;
  }

  onAck(client: LoadClient, number: number, buffer: Buffer, start: number, end: number): void {
    const dueUs = client.outbox.acks.answered(number);
    if (dueUs === undefined) {
      this.#repeatedAcks++;
      return;
    }
    const now = nowUs();
    this.#lastArrivalUs = now;
    this.#acked++;
    const event = this.#script.flows[client.spec.flow]?.event;
    if (event === undefined || this.#isPublish(client)) return;
    this.#results++;
    this.#stats.delivered(event, this.#zeroUs + dueUs, now);
    if (event === "ask") this.#countAnswers(client, buffer.toString("latin1", start, end));
    else if (this.#findHead(buffer, start, end) < 0 || this.#head.number !== number) this.#corrupt++;
  }

  /** Something came at `now`, or the measured time ended: the wait since the last arrival is over. */
  noteGap(client: LoadClient, now: number): void {
    if (this.#stats.isMeasured(now)) client.longestGapUs = Math.max(client.longestGapUs, now - client.lastArrivalUs);
    client.lastArrivalUs = now;
  }

  #joinLate(client: LoadClient, { ledger, zeroUs }: TrafficStart): void {
    client.lastArrivalUs = Math.max(zeroUs, this.#lastReadyUs);
    if (client.spec.room >= 0) client.member = ledger.join(client.spec.id, client.spec.room, "late");
  }

  /** Where the payload is, with its head read; -1 when this is not one of our messages. */
  #findHead(buffer: Buffer, start: number, end: number): number {
    const at = findPayload(buffer, start, end, start + this.#guess);
    if (at < 0) return -1;
    this.#guess = at - start;
    if (readHead(buffer, at, this.#head)) return at;
    this.#corrupt++;
    return -1;
  }

  #isIntact(buffer: Buffer, start: number, end: number): boolean {
    const wanted = payloadText(this.#head, this.#script.payloadBytes);
    const json = buffer.toString("utf8", buffer.indexOf(BRACKET, start), end);
    return holds(JSON.parse(json), wanted);
  }

  #countAnswers(client: LoadClient, packet: string): void {
    const [answers] = JSON.parse(packet.slice(packet.indexOf("["))) as [unknown];
    const wanted = this.#traffic?.membersOf(client.spec.room) ?? 0;
    this.#lostAnswers += Math.max(0, wanted - Number(answers));
  }

  #isPublish(client: LoadClient): boolean {
    const event = this.#script.flows[client.spec.flow]?.event;
    return event === "publish" || event === "direct" || event === "broadcast";
  }
}

function ackIdOf(buffer: Buffer, start: number, end: number): string {
  const bracket = buffer.indexOf(BRACKET, start);
  return buffer.toString("latin1", start + ACK_ID_AT, Math.min(bracket, end));
}

function holds(value: unknown, text: string): boolean {
  if (typeof value === "string") return value === text;
  return typeof value === "object" && value !== null && Object.values(value).some((item) => holds(item, text));
}
