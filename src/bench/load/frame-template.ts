// The frame of one client's messages, made once: sending copies it and overwrites a few digits under the mask.

import type { EventTemplate } from "../contract.ts";
import { fillTemplate, type TemplateValues } from "../fill-template.ts";
import { type MessageHead, messageId, payloadText, SENDER_AT, writeHead, writeMessageId } from "./payload.ts";
import { encodeFrame, FRAME, frameHeadBytes } from "./ws-frames.ts";

/** Ack ids are this plus the message's number: always seven digits, so frames keep their length. */
const FIRST_ACK_ID = 1_000_000;
/** Messages that a client may send in one run: a larger number would need a longer ack id. */
export const MAX_MESSAGES_PER_CLIENT = 9_000_000;

const ACK_ID_AT = 2;
const ACK_DIGITS = 7;
const ZERO = 48;

export interface FrameTemplateOptions {
  readonly template: EventTemplate;
  readonly values: Pick<TemplateValues, "room" | "user" | "target">;
  readonly sender: number;
  readonly payloadBytes: number;
  readonly asksAck: boolean;
  readonly mask: Uint8Array;
}

export class FrameTemplate {
  readonly #frame: Buffer;
  readonly #mask: Uint8Array;
  readonly #maskAt: number;
  readonly #payloadAt: number;
  readonly #idAt: number | undefined;
  readonly #asksAck: boolean;

  constructor({ template, values, sender, payloadBytes, asksAck, mask }: FrameTemplateOptions) {
    const payload = payloadText({ sender, room: 0, number: 0, dueUs: 0 }, payloadBytes);
    const id = messageId({ sender, number: 0 });
    const args = fillTemplate([template.event, ...template.args], { ...values, payload, id });
    const text = Buffer.from(`42${asksAck ? FIRST_ACK_ID : ""}${JSON.stringify(args)}`);
    this.#frame = encodeFrame(FRAME.text, text, mask);
    this.#mask = mask;
    this.#maskAt = frameHeadBytes(text.length);
    this.#payloadAt = this.#maskAt + text.indexOf(payload.slice(0, SENDER_AT));
    const idAt = text.indexOf(`"${id}"`) + 1;
    this.#idAt = idAt === 0 ? undefined : this.#maskAt + idAt;
    this.#asksAck = asksAck;
  }

  make(head: MessageHead): Buffer {
    const frame = Buffer.from(this.#frame);
    writeHead(frame, this.#payloadAt, this.#maskAt, this.#mask, head);
    if (this.#idAt !== undefined) writeMessageId(frame, this.#idAt, this.#maskAt, this.#mask, head.number);
    if (this.#asksAck) this.#writeAckId(frame, FIRST_ACK_ID + head.number);
    return frame;
  }

  #writeAckId(frame: Buffer, id: number): void {
    let rest = id;
    for (let i = ACK_ID_AT + ACK_DIGITS - 1; i >= ACK_ID_AT; i--) {
      frame[this.#maskAt + i] = (ZERO + (rest % 10)) ^ (this.#mask[i & 3] as number);
      rest = Math.floor(rest / 10);
    }
  }
}

/** The number of the message that an ack packet `43ID[...]` answers; negative for a request of another kind. */
export function ackedNumber(buffer: Buffer, start: number, end: number): number {
  let id = 0;
  for (let i = start + ACK_ID_AT; i < end; i++) {
    const digit = (buffer[i] as number) - ZERO;
    if (digit < 0 || digit > 9) break;
    id = id * 10 + digit;
  }
  return id - FIRST_ACK_ID;
}
