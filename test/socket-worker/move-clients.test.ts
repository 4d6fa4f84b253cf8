import { describe, expect, test } from "vitest";
import { batchSizeOf, type EngineClient, moveClients } from "../../src/socket-worker/move-clients.ts";

/** A client whose transport closes at once. */
class FakeClient implements EngineClient {
  readonly transport = { name: "websocket", readyState: "open", close: () => this.#leave() };
  readonly writeBuffer = [];
  readonly #leave: () => void;
  readyState = "open";

  constructor(onLeave: (client: FakeClient) => void) {
    this.#leave = () => onLeave(this);
  }

  once(): void {}
  close(): void {}
}

/** A worker with so many clients, and the order in which they left. */
function worker(count: number) {
  const here = new Set<FakeClient>();
  const left: FakeClient[] = [];
  const join = (): FakeClient => {
    const client = new FakeClient((leaving) => {
      here.delete(leaving);
      left.push(leaving);
    });
    here.add(client);
    return client;
  };
  for (let i = 0; i < count; i++) join();
  return { here, left, join, clients: () => [...here] };
}

const PACE = { batchSize: 10, windowMs: 1, deadlineMs: 10_000 };

describe("moveClients", () => {
  test("moves all of them, also one that came late", async () => {
    const { left, join, clients } = worker(25);

    const moving = moveClients({ ...PACE, clients, isBusy: () => false });
    join();
    await moving;

    expect(left).toHaveLength(26);
  });

  test("moves a busy one when it is not busy any more", async () => {
    const { left, clients } = worker(3);
    const [busy] = clients();

    await moveClients({ ...PACE, clients, isBusy: (client) => client === busy && left.length < 2 });

    expect(left.at(-1)).toBe(busy);
  });

  // Between the choice and the close up to a whole window passes: an ack that became due then was lost.
  test("puts off one that became busy after it was chosen", async () => {
    const { left, clients } = worker(1);
    const answers = [false, true, false, false];

    await moveClients({ ...PACE, clients, isBusy: () => answers.shift() ?? false });

    expect(left).toHaveLength(1);
    expect(answers).toEqual([]);
  });

  test("moves busy ones too when the time is over", async () => {
    const { left, clients } = worker(3);

    await moveClients({ ...PACE, deadlineMs: 0, clients, isBusy: () => true });

    expect(left).toHaveLength(3);
  });
});

describe("batchSizeOf", () => {
  const pace = { batchSize: 100, windowMs: 200 };

  test.each([
    ["the batch size while there is time", { clients: 500, leftMs: 10_000 }, 100],
    ["more when time is short", { clients: 10_000, leftMs: 2000 }, 1000],
    ["all in the last window", { clients: 10_000, leftMs: 100 }, 10_000],
    ["all after it", { clients: 10_000, leftMs: -5 }, 10_000],
  ])("is %s", (_name, question, expected) => {
    expect(batchSizeOf({ ...pace, ...question })).toBe(expected);
  });
});
