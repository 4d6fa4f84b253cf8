import { describe, expect, test } from "vitest";
import { findPayload, HEAD_BYTES, payloadText, readHead, writeHead } from "../../src/bench/load/payload.ts";
import { encodeFrame, FRAME, frameHeadBytes } from "../../src/bench/load/ws-frames.ts";

const HEAD = { sender: 0xabcde, room: 17, number: 0xffffff, dueUs: 16 ** 9 - 1 };

describe("payload", () => {
  test("comes back as it was written, inside any event", () => {
    const frame = Buffer.from(`42["msg",{"text":"${payloadText(HEAD, 100)}"},"offset"]`);
    const head = { sender: 0, room: 0, number: 0, dueUs: 0 };

    const at = findPayload(frame, 0, frame.length, 9);

    expect(at).toBe(18);
    expect(readHead(frame, at, head)).toBe(true);
    expect(head).toEqual(HEAD);
  });

  test("is found at the guessed place without a search", () => {
    const frame = Buffer.from(`~~${payloadText(HEAD, 100)}`);

    expect(findPayload(frame, 0, frame.length, 2)).toBe(2);
  });

  test.each([
    ["no marker", "x".repeat(100)],
    ["a head cut short", payloadText(HEAD, HEAD_BYTES).slice(0, -1)],
  ])("is not found where there is %s", (_what, text) => {
    const frame = Buffer.from(text);

    expect(findPayload(frame, 0, frame.length, 0)).toBe(-1);
  });

  test("says so when a field is not made of digits", () => {
    const frame = Buffer.from(payloadText(HEAD, 100).replace("abcde", "abxde"));

    expect(readHead(frame, 0, { ...HEAD })).toBe(false);
  });

  test("has the asked length, and never less than its head", () => {
    expect(payloadText(HEAD, 100)).toHaveLength(100);
    expect(payloadText(HEAD, 1)).toHaveLength(HEAD_BYTES);
  });

  test("has room, number and due time rewritten under the mask", () => {
    const mask = Uint8Array.of(9, 8, 7, 6);
    const text = Buffer.from(`42["msg","${payloadText({ sender: 5, room: 1, number: 2, dueUs: 3 }, 200)}"]`);
    const frame = encodeFrame(FRAME.text, text, mask);
    const maskAt = frameHeadBytes(text.length);

    writeHead(frame, maskAt + 10, maskAt, mask, { ...HEAD, sender: 5 });

    const plain = Buffer.from(frame.subarray(maskAt).map((byte, i) => byte ^ (mask[i & 3] as number)));
    expect(plain.toString()).toBe(`42["msg","${payloadText({ ...HEAD, sender: 5 }, 200)}"]`);
  });
});
