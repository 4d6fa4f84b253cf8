import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { FanoutAskMessage } from "../../src/bus/fanout-messages.ts";
import { AllcoresError } from "../../src/errors.ts";
import { Questions } from "../../src/fanout/questions.ts";
import { encodeMsgpack } from "../../src/fanout/wire-format.ts";
import { fakePeer } from "../helpers/fake-peer.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const settle = () => vi.advanceTimersByTimeAsync(0);

describe("Questions", () => {
  const ask: FanoutAskMessage = { type: "fanoutAsk", nsp: "/", requestId: "r", deadlineMs: 100, forAcks: false };
  const response = (n: number): Buffer => Buffer.from(`{"requestId":"r","n":${n}}`);

  test("are answered once, when the last server has answered", async () => {
    const { peer, sent } = fakePeer();
    const questions = new Questions();

    questions.begin(peer, ask, () => Promise.resolve(2));
    await settle();
    questions.onResponse(response(1));
    const early = [...sent];
    questions.onResponse(response(2));
    questions.onResponse(response(3));
    await vi.advanceTimersByTimeAsync(1000);

    const body = '[{"requestId":"r","n":1},{"requestId":"r","n":2}]';
    expect(early).toEqual([]);
    expect(sent).toEqual([{ type: "fanoutAnswers", requestId: "r", missing: 0, body }]);
  });

  // Two connections: the answer may overtake the number of those who were asked.
  test("may be answered before the number of servers is known", async () => {
    const { peer, sent } = fakePeer();
    const questions = new Questions();
    let say: (servers: number) => void = () => {};

    questions.begin(peer, ask, () => new Promise((resolve) => (say = resolve)));
    questions.onResponse(response(1));
    const early = [...sent];
    say(1);
    await settle();

    expect(early).toEqual([]);
    expect(sent).toHaveLength(1);
  });

  test("tell at the deadline how many servers are missing", async () => {
    const { peer, sent } = fakePeer();
    const questions = new Questions();

    questions.begin(peer, ask, () => Promise.resolve(3));
    await settle();
    questions.onResponse(response(1));
    await vi.advanceTimersByTimeAsync(100);

    expect(sent).toEqual([{ type: "fanoutAnswers", requestId: "r", missing: 2, body: `[${response(1)}]` }]);
  });

  test("pass the acks of clients on until the deadline, before and after the servers have answered", async () => {
    const { peer, sent } = fakePeer();
    const questions = new Questions();
    const ack = encodeMsgpack({ type: 9, requestId: "r", packet: 1 });

    questions.begin(peer, { ...ask, forAcks: true }, () => Promise.resolve(1));
    await settle();
    questions.onResponse(ack);
    questions.onResponse(response(1));
    questions.onResponse(ack);
    await vi.advanceTimersByTimeAsync(100);
    questions.onResponse(ack);

    expect(sent.map((message) => (message as { type: string }).type)).toEqual([
      "fanoutClientAck",
      "fanoutAnswers",
      "fanoutClientAck",
    ]);
  });

  test("that cannot be put are answered with the error", async () => {
    const { peer, sent } = fakePeer();
    const questions = new Questions();

    questions.begin(peer, ask, () => Promise.reject(new AllcoresError("ALLCORES_ERR_FANOUT_OVERFLOW", "full")));
    await vi.advanceTimersByTimeAsync(1000);

    const error = { code: "ALLCORES_ERR_FANOUT_OVERFLOW", message: "full" };
    expect(sent).toEqual([{ type: "fanoutAnswers", requestId: "r", missing: 0, error, body: "[]" }]);
  });

  test("are refused when 10,000 are open", async () => {
    const { peer, sent } = fakePeer();
    const questions = new Questions();

    for (let n = 0; n <= 10_000; n++) {
      questions.begin(peer, { ...ask, requestId: `r${n}` }, () => new Promise(() => {}));
    }

    expect(sent).toMatchObject([{ requestId: "r10000", error: { code: "ALLCORES_ERR_FANOUT_OVERFLOW" } }]);
  });

  test("whose answers are too much for the bus are answered with the error", async () => {
    const { peer, sent, connection } = fakePeer();
    const questions = new Questions();
    connection.queuedBytes = 33_554_432;

    questions.begin(peer, ask, () => Promise.resolve(0));
    await settle();

    expect(sent).toMatchObject([{ requestId: "r", error: { code: "ALLCORES_ERR_FANOUT_OVERFLOW" } }]);
  });

  test("of a worker that is gone are forgotten", async () => {
    const { peer, sent } = fakePeer();
    const questions = new Questions();

    questions.begin(peer, ask, () => Promise.resolve(1));
    await settle();
    questions.leave(peer);
    questions.onResponse(response(1));
    await vi.advanceTimersByTimeAsync(1000);

    expect(sent).toEqual([]);
  });
});
