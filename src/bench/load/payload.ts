// What a message of the load test carries: one ASCII string that begins with a fixed-width head.
// A receiver finds the marker and reads the fields by byte offset: nothing is parsed as JSON on the hot path.
//
//   ~B~ sender(5) room(5) number(6) due(9) padding...       all in hexadecimal digits

const MARKER = Buffer.from("~B~");
const SENDER_DIGITS = 5;
const ROOM_DIGITS = 5;
const NUMBER_DIGITS = 6;
const DUE_DIGITS = 9;

export const SENDER_AT = MARKER.length;
const ROOM_AT = SENDER_AT + SENDER_DIGITS;
const NUMBER_AT = ROOM_AT + ROOM_DIGITS;
const DUE_AT = NUMBER_AT + NUMBER_DIGITS;

/** Shortest payload there is: the head alone. */
export const HEAD_BYTES = DUE_AT + DUE_DIGITS;

/** Client ids and numbers stay below these: a head has no room for more. */
export const MAX_CLIENTS = 16 ** SENDER_DIGITS;
export const MAX_NUMBER = 16 ** NUMBER_DIGITS;

/** The fields of a head. One object is filled again and again, so that reading allocates nothing. */
export interface MessageHead {
  sender: number;
  room: number;
  /** Counts up from 0 for each sender. */
  number: number;
  /** When it was due, in microseconds since the start of traffic. */
  dueUs: number;
}

const PADDING = "abcdefghijklmnopqrstuvwxyz0123456789";
const DIGITS = Buffer.from("0123456789abcdef");
const NOT_A_DIGIT = 0xff;
const VALUES = new Uint8Array(256).fill(NOT_A_DIGIT);
for (const [value, digit] of DIGITS.entries()) VALUES[digit] = value;

/** The payload as a string: for templates, and to compare a received one with in full. */
export function payloadText(head: MessageHead, bytes: number): string {
  const text =
    MARKER.toString() +
    hex(head.sender, SENDER_DIGITS) +
    hex(head.room, ROOM_DIGITS) +
    hex(head.number, NUMBER_DIGITS) +
    hex(head.dueUs, DUE_DIGITS);
  return text + PADDING.repeat(Math.ceil(bytes / PADDING.length)).slice(0, Math.max(0, bytes - HEAD_BYTES));
}

const ID_SENDER_AT = 1;
const ID_NUMBER_AT = ID_SENDER_AT + SENDER_DIGITS;

/** A name for a message, for apps that want one with each: `m00007000012`. */
export function messageId({ sender, number }: Pick<MessageHead, "sender" | "number">): string {
  return `m${hex(sender, SENDER_DIGITS)}${hex(number, NUMBER_DIGITS)}`;
}

/** Writes the number over that of a `messageId` that begins at `at` of a masked frame. */
export function writeMessageId(frame: Buffer, at: number, maskAt: number, mask: Uint8Array, number: number): void {
  writeDigits(frame, at + ID_NUMBER_AT, NUMBER_DIGITS, maskAt, mask, number);
}

/**
 * Writes room, number and due time over those of a masked frame in which the payload begins at `at`;
 * `maskAt` is where the masked part of the frame begins.
 */
export function writeHead(frame: Buffer, at: number, maskAt: number, mask: Uint8Array, head: MessageHead): void {
  writeDigits(frame, at + ROOM_AT, ROOM_DIGITS, maskAt, mask, head.room);
  writeDigits(frame, at + NUMBER_AT, NUMBER_DIGITS, maskAt, mask, head.number);
  writeDigits(frame, at + DUE_AT, DUE_DIGITS, maskAt, mask, head.dueUs);
}

/**
 * Where a payload begins between `start` and `end`, or -1. `guess` is tried first: events of one app look alike,
 * so the place of the last one is almost always right.
 */
export function findPayload(frame: Buffer, start: number, end: number, guess: number): number {
  if (guess + HEAD_BYTES <= end && hasMarker(frame, guess)) return guess;
  const at = frame.subarray(start, end).indexOf(MARKER);
  return at >= 0 && start + at + HEAD_BYTES <= end ? start + at : -1;
}

/** Fills `into` from the payload at `at`; false when a field is not made of digits. */
export function readHead(frame: Buffer, at: number, into: MessageHead): boolean {
  into.sender = readDigits(frame, at + SENDER_AT, SENDER_DIGITS);
  into.room = readDigits(frame, at + ROOM_AT, ROOM_DIGITS);
  into.number = readDigits(frame, at + NUMBER_AT, NUMBER_DIGITS);
  // More than 32 bits: two halves.
  const high = readDigits(frame, at + DUE_AT, DUE_DIGITS - 5);
  const low = readDigits(frame, at + DUE_AT + DUE_DIGITS - 5, 5);
  into.dueUs = high * 0x100000 + low;
  return into.sender >= 0 && into.room >= 0 && into.number >= 0 && high >= 0 && low >= 0;
}

function hasMarker(frame: Buffer, at: number): boolean {
  return frame[at] === MARKER[0] && frame[at + 1] === MARKER[1] && frame[at + 2] === MARKER[2];
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

function readDigits(frame: Buffer, at: number, digits: number): number {
  let value = 0;
  for (let i = 0; i < digits; i++) {
    const digit = VALUES[frame[at + i] as number] as number;
    if (digit === NOT_A_DIGIT) return -1;
    value = value * 16 + digit;
  }
  return value;
}

function writeDigits(frame: Buffer, at: number, digits: number, maskAt: number, mask: Uint8Array, value: number): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    frame[i] = (DIGITS[rest % 16] as number) ^ (mask[(i - maskAt) & 3] as number);
    rest = Math.floor(rest / 16);
  }
}
