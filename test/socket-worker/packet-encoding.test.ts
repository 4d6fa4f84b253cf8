import { Decoder, Encoder, type Packet, PacketType } from "socket.io-parser";
import { describe, expect, test } from "vitest";
import { PUBLISH_FLAG } from "../../src/bus/hub-frames.ts";
import { formatPosition, POSITION_DIGITS } from "../../src/bus/position.ts";
import { decodePacket, encodePacket, stampFrames } from "../../src/socket-worker/packet-encoding.ts";

const encoder = new Encoder() as never;
const event = (...data: unknown[]): Packet => ({ type: PacketType.EVENT, nsp: "/", data });

describe("encodePacket", () => {
  test.each([
    ["text", ["chat", "ü€😀", { a: [1, null] }]],
    ["binary", ["file", Buffer.from([0, 255]), { nested: Buffer.from("x") }]],
    ["nothing but a name", ["ping"]],
    ["text that looks like the place for a position", ["chat", `0a1b2c3d-${"?".repeat(POSITION_DIGITS)}`]],
  ])("gives an event with %s a position as its last argument", (_what, data) => {
    const encoded = encodePacket(encoder, event(...data), "0a1b2c3d");

    stampFrames(encoded, 42);

    const { data: decoded } = decodePacket({ Decoder } as never, encoded.payload);
    expect(encoded.flags).toBe(PUBLISH_FLAG.hasPosition);
    expect(decoded).toEqual([...data, formatPosition({ epoch: "0a1b2c3d", sequence: 42 })]);
  });

  // A view's elements were taken for its bytes, and an ArrayBuffer for nothing: the frame's header was wrong, and clients
  // were disconnected for it.
  test("takes all that Socket.IO takes for binary", () => {
    const { buffer } = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const views = [buffer, new Uint16Array(buffer, 2, 2), new DataView(buffer, 1, 3), new Float64Array(buffer)];

    const { payload } = encodePacket(encoder, event("file", ...views), undefined);

    const { data } = decodePacket({ Decoder } as never, payload);
    const bytes = [
      [1, 2, 3, 4, 5, 6, 7, 8],
      [3, 4, 5, 6],
      [2, 3, 4],
      [1, 2, 3, 4, 5, 6, 7, 8],
    ];
    expect(data).toEqual(["file", ...bytes.map((one) => Buffer.from(one))]);
  });

  test("leaves a packet without a position as it is", () => {
    const { payload, flags } = encodePacket(encoder, event("chat", 1), undefined);

    expect(flags).toBe(0);
    expect(decodePacket({ Decoder } as never, payload).data).toEqual(["chat", 1]);
  });

  test("sends the packet itself where the app's parser leaves no place to write into", () => {
    const binaryEncoder = { encode: (packet: Packet) => [Buffer.from(JSON.stringify(packet.data))] };

    const { flags } = encodePacket(binaryEncoder, event("chat"), "0a1b2c3d");

    expect(flags).toBe(PUBLISH_FLAG.isPacket);
  });
});
