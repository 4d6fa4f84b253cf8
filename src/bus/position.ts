// A client's place in the box's order of messages, as it travels to stock clients and back: EPOCH-SEQUENCE.
// Its length never changes, so that the sequence can be written into bytes that are already encoded.

/** Digits of the sequence in every position. */
export const POSITION_DIGITS = 14;
const PATTERN = /^([0-9a-z]{8})-(\d{14})$/;

const ZERO = 0x30;
/** The text of an event whose last argument is the position ends with these two after it. */
export const AFTER_POSITION = '"]';

export interface Position {
  /** Names one life of the hub: sequences of another one mean nothing. */
  readonly epoch: string;
  readonly sequence: number;
}

export function formatPosition({ epoch, sequence }: Position): string {
  return `${epoch}-${String(sequence).padStart(POSITION_DIGITS, "0")}`;
}

/** The position a client sent, or `undefined` when it is none: the last argument of an event may be any text. */
export function parsePosition(text: string): Position | undefined {
  const [, epoch, digits] = PATTERN.exec(text) ?? [];
  return epoch === undefined ? undefined : { epoch, sequence: Number(digits) };
}

/** Writes the digits of `sequence` into an event whose last argument is a position and whose text ends at `textEnd`. */
export function stampPosition(bytes: Buffer, textEnd: number, sequence: number): void {
  const end = textEnd - AFTER_POSITION.length;
  let rest = sequence;
  for (let at = end - 1; at >= end - POSITION_DIGITS; at--) {
    bytes[at] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}
