import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  allocateFrame,
  decodeMessageFrame,
  encodeMessageFrame,
  FrameReader,
  HEADER_BYTES,
} from "../../src/bus/frames.ts";

const MAX = 1024;

function readAll(chunks: readonly Buffer[]): { kind: number; payload: string }[] {
  const frames: { kind: number; payload: string }[] = [];
  const reader = new FrameReader(MAX, (kind, frame) => {
    frames.push({ kind, payload: frame.toString("latin1", HEADER_BYTES) });
  });
  for (const chunk of chunks) reader.push(chunk);
  return frames;
}

function frameOf(kind: number, payload: Uint8Array): Buffer {
  const frame = allocateFrame(kind, payload.length);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

function cut(data: Buffer, points: readonly number[]): Buffer[] {
  const edges = [0, ...points.map((p) => p % (data.length + 1)).sort((a, b) => a - b), data.length];
  return edges.slice(1).map((end, i) => data.subarray(edges[i], end));
}

describe("FrameReader", () => {
  test("gives back what was framed, however the stream is cut", () => {
    const frame = fc.record({ kind: fc.integer({ min: 0, max: 255 }), payload: fc.uint8Array({ maxLength: 64 }) });

    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, points) => {
        const stream = Buffer.concat(frames.map(({ kind, payload }) => frameOf(kind, payload)));

        const read = readAll(cut(stream, points));

        expect(read).toEqual(
          frames.map(({ kind, payload }) => ({ kind, payload: Buffer.from(payload).toString("latin1") })),
        );
      }),
    );
  });

  test.each([
    ["longer than allowed", Buffer.from([0, 0, 8, 0, 1])],
    ["empty, without even a kind", Buffer.from([0, 0, 0, 0, 1])],
    ["an HTTP request", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ])("refuses a frame that is %s before it buffers it", (_what, bytes) => {
    const read = () => readAll([bytes]);

    expect(read).toThrow(expect.objectContaining({ code: "ALLCORES_ERR_BUS_FRAME" }));
  });
});

describe("message frames", () => {
  test("carry JSON and opaque bytes", () => {
    const frame = encodeMessageFrame('{"type":"ready","ü":1}', Buffer.from([0, 255, 1]));

    const { value, body } = decodeMessageFrame(frame);

    expect(value).toEqual({ type: "ready", ü: 1 });
    expect([...body]).toEqual([0, 255, 1]);
  });

  test.each([
    ["too short", Buffer.from([0, 0])],
    ["shorter than their JSON", Buffer.from([0, 0, 0, 9, 123])],
    ["without JSON", Buffer.from([0, 0, 0, 1, 123])],
  ])("that are %s are refused", (_what, payload) => {
    expect(() => decodeMessageFrame(frameOf(1, payload))).toThrow(
      expect.objectContaining({ code: "ALLCORES_ERR_BUS_FRAME" }),
    );
  });
});
