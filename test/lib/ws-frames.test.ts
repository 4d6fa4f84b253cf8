import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Receiver } from "ws";
import { decodeFrames, encodeBinaryFrame, encodeTextFrame } from "../../src/lib/ws-frames.ts";

/** What a WebSocket client makes of the bytes. */
function receive(frames: Buffer): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const received: unknown[] = [];
    const receiver = new Receiver({ isServer: false });
    receiver.on("message", (data: Buffer, isBinary: boolean) => received.push(isBinary ? data : String(data)));
    receiver.on("error", reject);
    receiver.write(frames, () => setImmediate(() => resolve(received)));
  });
}

describe("WebSocket frames", () => {
  test.each([0, 1, 125, 126, 65_535, 65_536, 200_000])("of %i bytes are what ws reads", async (bytes) => {
    const text = "x".repeat(bytes);
    const data = Buffer.alloc(bytes, 7);

    const received = await receive(Buffer.concat([encodeTextFrame(text), encodeBinaryFrame(data)]));

    expect(received).toEqual([text, data]);
  });

  test("are taken apart to what they were made of", () => {
    const part = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    );

    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const frames = parts.map((one) => (typeof one === "string" ? encodeTextFrame(one) : encodeBinaryFrame(one)));

        expect(decodeFrames(Buffer.concat(frames))).toEqual(parts);
      }),
    );
  });
});
