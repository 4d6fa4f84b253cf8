import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import type { BusConnection } from "../../src/bus/connection.ts";
import { encodePassed, HUB_KIND } from "../../src/bus/hub-frames.ts";
import { HubLink, isAtMost } from "../../src/socket-worker/hub-link.ts";

const ask = { type: "hub:ask", namespace: "/", question: "fetchSockets", rooms: [] } as const;

/** A bus connection that takes everything, and by which the test plays the hub. */
function newLink(): { link: HubLink; pass: (...tickets: number[]) => void } {
  const bus = Object.assign(new EventEmitter(), { send: () => true, sendFrame: () => true });
  const link = new HubLink(bus as unknown as BusConnection);
  const pass = (...tickets: number[]) => {
    const places = tickets.map((ticket) => ({ ticket, sequence: ticket * 10 }));
    bus.emit("frame", HUB_KIND.passed, encodePassed(places));
  };
  return { link, pass };
}

describe("HubLink", () => {
  test("lets things happen at once while nothing is on its way", () => {
    const { link } = newLink();
    const happened: string[] = [];

    link.inOrder(() => happened.push("ack"));

    expect(happened).toEqual(["ack"]);
  });

  test("holds back what would overtake a message on its way to the hub", () => {
    const { link, pass } = newLink();
    const happened: unknown[] = [];

    const first = link.send(ask, (sequence) => happened.push(["message", sequence]));
    link.inOrder(() => happened.push("ack"));
    const second = link.send(ask, (sequence) => happened.push(["message", sequence]));
    link.inOrder(() => happened.push("disconnect"));
    expect(happened).toEqual([]);
    pass(first);
    expect(happened).toEqual([["message", first * 10], "ack"]);
    pass(second);

    expect(happened.slice(2)).toEqual([["message", second * 10], "disconnect"]);
  });

  test("one word of the hub lets everything up to there happen, in order", () => {
    const { link, pass } = newLink();
    const happened: number[] = [];

    const tickets = [1, 2, 3].map((i) => link.send(ask, () => happened.push(i)));
    pass(tickets[2] ?? 0);

    expect(happened).toEqual([1, 2, 3]);
  });

  test("what happens may send and wait itself, behind what waits already", () => {
    const { link, pass } = newLink();
    const happened: string[] = [];

    const first = link.send(ask, () => {
      link.send(ask, () => happened.push("its message"));
      link.inOrder(() => happened.push("its ack"));
    });
    link.inOrder(() => happened.push("earlier ack"));
    pass(first);
    expect(happened).toEqual(["earlier ack"]);
    pass(first + 1);

    expect(happened).toEqual(["earlier ack", "its message", "its ack"]);
  });
});

describe("isAtMost", () => {
  const last = 2 ** 32 - 1;

  test.each([
    [1, 1, true],
    [1, 2, true],
    [2, 1, false],
    [last, 0, true],
    [last - 5, 7, true],
    [0, last, false],
  ])("ticket %d was given no later than ticket %d: %s", (a, b, isEarlier) => {
    expect(isAtMost(a, b)).toBe(isEarlier);
  });
});
