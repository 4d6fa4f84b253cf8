import { describe, expect, test } from "vitest";
import { WorkerLink } from "../../src/fanout/worker-link.ts";
import { fakePeer } from "../helpers/fake-peer.ts";
import { collectLog } from "../helpers/log-lines.ts";

const BODY = () => Buffer.from("body");
const message = { type: "fanoutPublish", nsp: "/" } as const;

function create() {
  const { peer, sent, connection } = fakePeer();
  const { log, lines } = collectLog();
  return { link: new WorkerLink({ bus: peer.connection, log }), sent, connection, lines };
}

describe("WorkerLink", () => {
  test("drops what the primary does not keep up with, and tells it how much when it does", () => {
    const { link, sent, connection } = create();

    connection.queuedBytes = 33_554_432;
    const failures = [link.send(message, BODY), link.send(message, BODY)];
    connection.queuedBytes = 0;
    const failure = link.send(message, BODY);

    expect(failures).toMatchObject([
      { code: "ALLCORES_ERR_FANOUT_OVERFLOW" },
      { code: "ALLCORES_ERR_FANOUT_OVERFLOW" },
    ]);
    expect(failure).toBeUndefined();
    expect(sent).toEqual([
      { ...message, body: "body" },
      { type: "fanoutLost", count: 2 },
    ]);
  });

  // A namespace that is not announced would never hear from other servers.
  test("drops no message that has no body", () => {
    const { link, sent, connection } = create();
    connection.queuedBytes = 33_554_432;

    link.send({ type: "fanoutOpen", nsp: "/" });

    expect(sent).toEqual([{ type: "fanoutOpen", nsp: "/" }]);
  });

  test("returns, logs and counts what cannot be encoded", () => {
    const { link, sent, lines } = create();

    const failure = link.send(message, () => {
      throw new TypeError("cannot encode this");
    });
    link.send(message, BODY);

    expect(failure).toBeInstanceOf(TypeError);
    expect(lines).toMatchObject([{ level: 40, err: { message: "cannot encode this" } }]);
    expect(sent).toContainEqual({ type: "fanoutLost", count: 1 });
  });
});
