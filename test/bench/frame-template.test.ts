import { describe, expect, test } from "vitest";
import { ackedNumber, FrameTemplate } from "../../src/bench/load/frame-template.ts";
import { payloadText } from "../../src/bench/load/payload.ts";

const MASK = Uint8Array.of(11, 22, 33, 44);
const HEAD = { sender: 7, room: 300, number: 70_000, dueUs: 23_456_789_012 };

/** What a server reads from a frame with less than 65,536 bytes. */
function unmask(frame: Buffer): string {
  const start = (frame[1] as number) - 128 < 126 ? 6 : 8;
  return Buffer.from(frame.subarray(start).map((byte, i) => byte ^ (MASK[i & 3] as number))).toString();
}

function frameOf(args: readonly unknown[], asksAck: boolean, payloadBytes: number): string {
  const template = { event: "say", args };
  const values = { room: "r300", user: "u7" };
  return unmask(new FrameTemplate({ template, values, sender: 7, payloadBytes, asksAck, mask: MASK }).make(HEAD));
}

describe("FrameTemplate", () => {
  test.each([40, 1000])("makes an event with the payload of %i bytes in its place", (bytes) => {
    const text = frameOf(["$room", { text: "$payload", by: "$user" }], false, bytes);

    expect(text).toBe(`42["say","r300",{"text":"${payloadText(HEAD, bytes)}","by":"u7"}]`);
  });

  test("gives every message an ack id from which its number can be told", () => {
    const text = frameOf(["$payload"], true, 40);
    const ack = Buffer.from(`43${/^42(\d+)/.exec(text)?.[1]}[]`);

    expect(ackedNumber(ack, 0, ack.length)).toBe(HEAD.number);
    expect(text).toContain(`["say","${payloadText(HEAD, 40)}"]`);
  });

  test("gives every message an id where the app wants one", () => {
    const text = frameOf([{ id: "$id", text: "$payload" }], false, 40);

    expect(JSON.parse(text.slice(2))).toEqual(["say", { id: "m00007011170", text: payloadText(HEAD, 40) }]);
  });
});

test("ackedNumber is negative for acks of other requests", () => {
  const ack = Buffer.from('431["x"]');

  expect(ackedNumber(ack, 0, ack.length)).toBeLessThan(0);
});
