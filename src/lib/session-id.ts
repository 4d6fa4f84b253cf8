// Engine.IO session ids that name the worker they live on, so that the router needs no table.
//
//   2 characters slot | 4 characters incarnation | 14 random characters (84 bits)     all of [A-Za-z0-9_-]

import { randomBytes } from "node:crypto";

/** Names one process for ever: a slot's next process has the next incarnation. */
export interface WorkerName {
  readonly slot: number;
  readonly incarnation: number;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SLOT_DIGITS = 2;
const INCARNATION_DIGITS = 4;
const PREFIX_LENGTH = SLOT_DIGITS + INCARNATION_DIGITS;
const ID_LENGTH = 20;
const PATTERN = /^[A-Za-z0-9_-]{20}$/;

/** Incarnations wrap here; two processes of a slot that far apart never live at the same time. */
const INCARNATIONS = ALPHABET.length ** INCARNATION_DIGITS;

/** What the ids of a worker begin with. */
export function sessionIdPrefix({ slot, incarnation }: WorkerName): string {
  return toDigits(slot, SLOT_DIGITS) + toDigits(incarnation % INCARNATIONS, INCARNATION_DIGITS);
}

/** Makes the ids of one worker. */
export function sessionIdGenerator(name: WorkerName): () => string {
  const prefix = sessionIdPrefix(name);
  return () =>
    prefix +
    randomBytes(11)
      .toString("base64url")
      .slice(0, ID_LENGTH - PREFIX_LENGTH);
}

/** The worker that an id names, or `undefined` when it is no id of ours. */
export function workerOfSessionId(id: string): WorkerName | undefined {
  if (!PATTERN.test(id)) return undefined;
  return { slot: fromDigits(id.slice(0, SLOT_DIGITS)), incarnation: fromDigits(id.slice(SLOT_DIGITS, PREFIX_LENGTH)) };
}

function toDigits(value: number, count: number): string {
  let digits = "";
  for (let rest = value; digits.length < count; rest = Math.floor(rest / ALPHABET.length)) {
    digits = ALPHABET.charAt(rest % ALPHABET.length) + digits;
  }
  return digits;
}

function fromDigits(digits: string): number {
  return [...digits].reduce((value, digit) => value * ALPHABET.length + ALPHABET.indexOf(digit), 0);
}
