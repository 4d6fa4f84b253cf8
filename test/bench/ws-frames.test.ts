import { describe, expect, test } from "vitest";
import { Receiver, Sender } from "ws";
import { encodeFrame, FRAME, FrameReader } from "../../src/bench/load/ws-frames.ts";

const LENGTHS = [0, 1, 125, 126, 65_535, 65_536, 200_000];
const MASK = Uint8Array.of(1, 2, 3, 4);

function readerLog(): { reader: FrameReader; log: string[] } {
  const log: string[] = [];
  const reader = new FrameReader({
    onText: (buffer, start, end) => log.push(`text ${buffer.toString("latin1", start, end)}`),
    onPing: (data) => log.push(`ping ${data}`),
    onClose: (code) => log.push(`close ${code}`),
    onProtocolError: (reason) => log.push(`error ${reason}`),
  });
  return { reader, log };
}

/** A frame as servers send it, made by ws. */
function serverFrame(data: string, opcode: number, fin = true): Buffer {
  const parts = Sender.frame(Buffer.from(data), { opcode, fin, mask: false, readOnly: false, rsv1: false });
  return Buffer.concat(parts.map((part) => Buffer.from(part as Buffer)));
}

describe("encodeFrame", () => {
  test.each(LENGTHS)("writes a text frame of %i bytes that ws reads", async (length) => {
    const text = "x".repeat(length);
    const receiver = new Receiver({ isServer: true });
    const message = new Promise((resolve) => receiver.once("message", (data) => resolve(String(data))));

    receiver.write(encodeFrame(FRAME.text, Buffer.from(text), MASK));

    await expect(message).resolves.toBe(text);
  });
});

describe("FrameReader", () => {
  test.each(LENGTHS)("reads a text frame of %i bytes that ws wrote", (length) => {
    const { reader, log } = readerLog();
    const frame = serverFrame("y".repeat(length), FRAME.text);

    reader.push(frame, 0, frame.length);

    expect(log).toEqual([`text ${"y".repeat(length)}`]);
  });

  test("reads the same frames wherever the TCP segments are cut", () => {
    const stream = Buffer.concat([
      serverFrame("one", FRAME.text),
      serverFrame("p", FRAME.ping),
      serverFrame("two".repeat(100), FRAME.text),
      serverFrame("", FRAME.text),
    ]);

    for (let size = 1; size <= stream.length; size++) {
      const { reader, log } = readerLog();
      const shared = Buffer.alloc(size);
      for (let at = 0; at < stream.length; at += size) {
        // One buffer for all reads, as on the socket: what is kept must have been copied.
        const bytes = stream.copy(shared, 0, at, at + size);
        reader.push(shared, 0, bytes);
      }

      expect(log).toEqual(["text one", "ping p", `text ${"two".repeat(100)}`, "text "]);
    }
  });

  test("hands out nothing after a close frame", () => {
    const { reader, log } = readerLog();
    const close = Buffer.from([0x88, 2, 0x03, 0xe9]);
    const stream = Buffer.concat([close, serverFrame("late", FRAME.text)]);

    reader.push(stream, 0, stream.length);

    expect(log).toEqual(["close 1001"]);
  });

  test.each([
    ["fragments", serverFrame("part", FRAME.text, false)],
    ["masked frames", encodeFrame(FRAME.text, Buffer.from("hi"), MASK)],
    ["frames without an end", Buffer.from([0x81, 127, 0, 0, 1, 0, 0, 0, 0, 0])],
  ])("refuses %s", (_what, frame) => {
    const { reader, log } = readerLog();

    reader.push(Buffer.concat([frame, frame]), 0, frame.length * 2);

    expect(log).toHaveLength(1);
    expect(log[0]).toMatch(/^error the server sent a/);
  });
});
