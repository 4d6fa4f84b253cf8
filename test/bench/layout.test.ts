import { describe, expect, test } from "vitest";
import { dealClients, layOut, nameWorkers, shareFlows } from "../../src/bench/load/layout.ts";
import type { ClientSpec } from "../../src/bench/load/script.ts";

function clients(count: number, field: (id: number) => Partial<ClientSpec> = () => ({})): ClientSpec[] {
  return Array.from({ length: count }, (_, id) => ({ id, room: -1, url: 0, flow: 0, ...field(id) }));
}

const NO_WORKERS = new Map<number, string>();

describe("layOut", () => {
  test("sends to the own room, and to nobody from clients that only listen", () => {
    const specs = clients(4, (id) => ({ room: id >> 1, flow: id === 3 ? -1 : 0 }));

    const { homes, sendRooms } = layOut("room", specs, NO_WORKERS);

    expect([...homes]).toEqual([0, 0, 1, 1]);
    expect([...sendRooms]).toEqual([0, 0, 1, -1]);
  });

  test("pairs every user with one on another worker", () => {
    const workers = new Map([0, 1, 2, 3, 4, 5].map((id) => [id, id % 3 === 0 ? "0" : "1"]));
    const balanced = new Map([0, 1, 2, 3, 4, 5].map((id) => [id, id % 2 === 0 ? "0" : "1"]));

    const uneven = layOut("user", clients(6), workers);
    const even = layOut("user", clients(6), balanced);

    expect([...uneven.sendRooms].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...even.sendRooms].every((to, from) => balanced.get(to) !== balanced.get(from))).toBe(true);
  });

  test("pairs users on the same server only when servers share nothing", () => {
    const specs = clients(8, (id) => ({ url: id % 2 }));

    const { sendRooms } = layOut("user", specs, NO_WORKERS);

    expect([...sendRooms].every((to, from) => to % 2 === from % 2 && to !== from)).toBe(true);
  });

  test("reaches with a broadcast everybody on the same server", () => {
    const { homes, sendRooms } = layOut(
      "all",
      clients(4, (id) => ({ url: id % 2 })),
      NO_WORKERS,
    );

    expect([...homes]).toEqual([0, 1, 0, 1]);
    expect([...sendRooms]).toEqual([0, 1, 0, 1]);
  });
});

describe("nameWorkers", () => {
  const specs = clients(2, (id) => ({ url: id }));

  test("calls a worker by its slot, and by its server too where there are several", () => {
    const one = nameWorkers({ clients: specs, urls: ["a"] }, [[1, 3]]);
    const two = nameWorkers({ clients: specs, urls: ["a", "b"] }, [[1, 3]]);

    expect([...one]).toEqual([[1, "3"]]);
    expect([...two]).toEqual([[1, "1:3"]]);
  });
});

describe("dealClients", () => {
  test("keeps rooms in one process", () => {
    const parts = dealClients(
      clients(40, (id) => ({ room: Math.floor(id / 5) })),
      2,
    );

    expect(parts.map((part) => [...new Set(part.map(({ room }) => room))])).toEqual([
      [0, 2, 4, 6],
      [1, 3, 5, 7],
    ]);
  });

  test("splits a room when there are too few rooms for the processes", () => {
    const parts = dealClients(
      clients(10, () => ({ room: 0 })),
      2,
    );

    expect(parts.map((part) => part.length)).toEqual([5, 5]);
  });
});

describe("shareFlows", () => {
  test("shares a flow among the processes that have senders of it", () => {
    const parts = [
      clients(2, (id) => ({ flow: id })),
      clients(2, () => ({ flow: 0 })),
      clients(1, () => ({ flow: -1 })),
    ];

    expect(shareFlows(parts, 2)).toEqual([
      [
        { share: 0, shares: 2 },
        { share: 0, shares: 1 },
      ],
      [{ share: 1, shares: 2 }, undefined],
      [undefined, undefined],
    ]);
  });
});
