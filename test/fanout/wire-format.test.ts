import { describe, expect, test } from "vitest";
import { decodeBroadcast, decodeRequest, decodeResponse, encodeMsgpack } from "../../src/fanout/wire-format.ts";

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const packet = { type: 2, data: ["event", 1], nsp: "/" };

describe("decodeBroadcast", () => {
  test("takes a packet of the namespace, and one without a namespace for /", () => {
    const filter = { rooms: ["a"], except: [], flags: {} };

    const named = decodeBroadcast(encodeMsgpack(["x", { ...packet, nsp: "/chat" }, { rooms: ["a"] }]), "/chat");
    const unnamed = decodeBroadcast(encodeMsgpack(["x", { type: 2, data: ["e"] }, { rooms: ["a"] }]), "/");

    expect(named).toEqual({ packet: { ...packet, nsp: "/chat" }, filter });
    expect(unnamed).toEqual({ packet: { type: 2, data: ["e"], nsp: "/" }, filter });
  });

  test.each([
    ["a packet of another namespace", ["x", { ...packet, nsp: "/other" }, { rooms: [] }]],
    ["a packet without data", ["x", { type: 2, nsp: "/" }, { rooms: [] }]],
    ["a filter without a list of rooms, which would mean everybody", ["x", packet, { rooms: "a" }]],
    ["no filter", ["x", packet]],
    ["no array", { uid: "x" }],
  ])("refuses %s", (_name, message) => {
    expect(decodeBroadcast(encodeMsgpack(message), "/")).toBeUndefined();
  });
});

describe("decodeRequest", () => {
  test("understands the requests of today", () => {
    const opts = { rooms: ["a"], except: ["b"] };
    const filter = { ...opts, flags: {} };
    const asker = { uid: "u", requestId: "r" };
    const kinds: [object, object][] = [
      [
        { type: 0, rooms: ["a"] },
        { kind: "sockets", filter: { rooms: ["a"], except: [], flags: {} } },
      ],
      [{ type: 1 }, { kind: "allRooms" }],
      [
        { type: 2, opts, rooms: ["c"] },
        { kind: "join", filter, rooms: ["c"] },
      ],
      [
        { type: 3, opts, rooms: ["c"] },
        { kind: "leave", filter, rooms: ["c"] },
      ],
      [
        { type: 4, opts, close: true },
        { kind: "disconnect", filter, close: true },
      ],
      [
        { type: 5, opts },
        { kind: "fetchSockets", filter },
      ],
      [
        { type: 6, data: ["e"] },
        { kind: "serverSideEmit", data: ["e"] },
      ],
      [
        { type: 7, packet, opts },
        { kind: "broadcast", packet, filter },
      ],
    ];

    const decoded = kinds.map(([request]) => decodeRequest(json({ ...asker, ...request }), "/"));

    expect(decoded).toEqual(kinds.map(([, expected]) => ({ ...asker, ...expected })));
  });

  test("understands a request for one socket, as older adapters send it", () => {
    const decoded = decodeRequest(json({ requestId: "r", type: 2, sid: "socket", room: "c" }), "/");

    const filter = { rooms: ["socket"], except: [], flags: {} };
    expect(decoded).toEqual({ uid: undefined, requestId: "r", kind: "join", filter, rooms: ["c"] });
  });

  // Taken for "no rooms", it would disconnect everybody.
  test.each([
    { type: 4, opts: {} },
    { type: 4, opts: { rooms: "x" } },
    { type: 4, opts: { rooms: [], except: 1 } },
  ])("refuses %j", (request) => {
    expect(decodeRequest(json(request), "/")).toBeUndefined();
  });
});

describe("decodeResponse", () => {
  test("tells one client's ack from the answer of a server", () => {
    const ack = decodeResponse(encodeMsgpack({ type: 9, requestId: "r", packet: 1 }));
    const count = decodeResponse(json({ type: 8, requestId: "r", clientCount: 2 }));

    expect([ack?.isClientAck, count?.isClientAck]).toEqual([true, false]);
  });

  test.each([
    json({ sockets: [] }),
    json({ type: 9, requestId: "r" }),
    encodeMsgpack({ requestId: "r" }),
    Buffer.alloc(0),
  ])("refuses %s", (body) => {
    expect(decodeResponse(body)).toBeUndefined();
  });
});
