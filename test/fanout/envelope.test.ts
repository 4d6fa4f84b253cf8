import { describe, expect, test } from "vitest";
import { Envelope } from "../../src/fanout/envelope.ts";
import { decodeEither, encodeMsgpack } from "../../src/fanout/wire-format.ts";

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const packet = { type: 2, data: ["event", 1], nsp: "/" };

describe("Envelope", () => {
  const envelope = new Envelope("box-1");

  test.each([
    ["a broadcast", encodeMsgpack([packet, { rooms: [] }]), ["box-1", packet, { rooms: [] }]],
    ["a request in msgpack", encodeMsgpack({ type: 7, packet }), { uid: "box-1", type: 7, packet }],
    ["a request in JSON", json({ type: 3, rooms: ["a"] }), { uid: "box-1", type: 3, rooms: ["a"] }],
  ])("puts the sender in front of %s, and knows it again", (_name, body, expected) => {
    const sealed = envelope.seal(body);

    expect(decodeEither(sealed)).toEqual(expected);
    expect([envelope.isOwn(sealed), new Envelope("box-2").isOwn(sealed)]).toEqual([true, false]);
  });

  test("what others send is not its own, however short", () => {
    const foreign = [Buffer.alloc(0), Buffer.from("{"), encodeMsgpack(["emitter", packet, {}]), json({ type: 3 })];

    expect(foreign.map((body) => envelope.isOwn(body))).toEqual([false, false, false, false]);
  });
});
