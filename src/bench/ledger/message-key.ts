// One number that names one message: who sent it and its number there.

import { MAX_NUMBER } from "../load/payload.ts";

/** Below 2^44, so it is exact in a double and in a Float64Array. */
export function keyOf(sender: number, number: number): number {
  return sender * MAX_NUMBER + number;
}

export function senderOf(key: number): number {
  return Math.floor(key / MAX_NUMBER);
}

export function numberOf(key: number): number {
  return key % MAX_NUMBER;
}

/** For people: "message 12 of client 7". */
export function describeKey(key: number): string {
  return `message ${numberOf(key)} of client ${senderOf(key)}`;
}
