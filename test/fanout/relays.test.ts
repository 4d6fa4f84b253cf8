import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Peer } from "../../src/bus/peers.ts";
import { Relays } from "../../src/fanout/relays.ts";
import type { ServerRequest } from "../../src/fanout/wire-format.ts";
import { fakePeer } from "../helpers/fake-peer.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("Relays", () => {
  const request: ServerRequest = { uid: "u", requestId: "r", kind: "allRooms" };

  function create() {
    const responses: string[] = [];
    let dropped = 0;
    const relays = new Relays({
      respond: (_nsp, _request, response) => responses.push(response),
      onDropped: () => dropped++,
    });
    return { relays, responses, dropped: () => dropped };
  }

  test("answer once, when every worker has done its part or is gone", () => {
    const { relays, responses } = create();
    const workers = [fakePeer(0).peer, fakePeer(1).peer, fakePeer(2).peer] as [Peer, Peer, Peer];

    const id = Number(relays.begin("/", request, workers));
    relays.answer(id, workers[0], '"a"');
    relays.answer(id, workers[0], '"twice"');
    relays.leave(workers[1]);
    const early = [...responses];
    relays.answer(id, workers[2], '"b"');
    relays.answer(id, workers[2], '"late"');

    expect(early).toEqual([]);
    expect(responses).toEqual(['{"requestId":"r","rooms":["a","b"]}']);
  });

  test("say nothing when a worker hangs, since half an answer would be taken for a whole one", () => {
    const { relays, responses, dropped } = create();
    const workers = [fakePeer(0).peer, fakePeer(1).peer] as [Peer, Peer];

    const id = Number(relays.begin("/", request, workers));
    relays.answer(id, workers[0], '"a"');
    vi.advanceTimersByTime(5000);
    relays.answer(id, workers[1], '"b"');

    expect([responses, dropped()]).toEqual([[], 1]);
  });

  test("take no more than 10,000 at a time", () => {
    const { relays, dropped } = create();
    const workers = [fakePeer().peer];

    for (let n = 0; n < 10_000; n++) relays.begin("/", request, workers);
    const refused = relays.begin("/", request, workers);
    relays.close();

    expect([refused, dropped()]).toEqual([undefined, 1]);
  });
});
