// Limits on connections of a real box: what is refused and how, what counts as one, and that every count ends with what
// it counted.

import { afterEach, describe, expect, test } from "vitest";
import { sessionIdGenerator } from "../../src/lib/session-id.ts";
import { joinFrom, openFrom, requestFrom, type WsClient } from "../helpers/addressed.ts";
import { startBox, type TestBox } from "../helpers/box.ts";
import { connectClient, readToEnd, TRANSPORTS } from "../helpers/clients.ts";
import { metricOf } from "../helpers/metrics.ts";
import { until } from "../helpers/until.ts";

const ANN = "127.0.0.2";
const BOB = "127.0.0.3";

const poll = (sid = "", connection = "close"): string =>
  `GET /socket.io/?EIO=4&transport=polling${sid} HTTP/1.1\r\nHost: box\r\nConnection: ${connection}\r\n\r\n`;
const sidIn = (answer: string): string => /"sid":"([^"]+)"/.exec(answer)?.[1] ?? "";

let box: TestBox;
let open: WsClient[] = [];

async function start(flags: readonly string[], workers = 2): Promise<void> {
  // Sessions that poll end with the box, which is not to wait for their next request.
  box = await startBox({ app: "echo-app.mjs", workers, flags: [...flags, "--supervisor-drain-timeout-ms", "500"] });
}

/** Joins and stays; `true`, or the status of the refusal. */
async function join(address: string): Promise<true | number> {
  const answer = await joinFrom(box.url, address);
  if (typeof answer === "number") return answer;
  open.push(answer);
  return true;
}

const counted = (): Promise<number> => metricOf(box, "allcores_admission_connections");
const countIs = (count: number): Promise<void> =>
  until(`${count} connections are counted`, async () => (await counted()) === count);

afterEach(async () => {
  for (const { ws } of open) ws.terminate();
  open = [];
  await box.stop();
});

describe("limits.maxConnections", () => {
  test("one more is answered 503 with Retry-After, and counted; when one goes, one comes in", async () => {
    await start(["--limits-max-connections", "3"]);
    const three = [await join(ANN), await join(BOB), await join(ANN)];

    const answer = await requestFrom(box.url, BOB, poll());
    const refusals = await metricOf(box, "allcores_admission_refused_total", 'reason="box_full"');
    open[0]?.ws.close();
    await countIs(2);

    expect(three).toEqual([true, true, true]);
    expect(answer).toMatch(/^HTTP\/1\.1 503 [\s\S]*Retry-After: \d+\r\n[\s\S]*ALLCORES_ERR_TOO_MANY_CONNECTIONS/);
    expect(refusals).toBe(1);
    expect(await join(BOB)).toBe(true);
  });

  test("what a killed worker held is free again", async () => {
    await start(["--limits-max-connections", "8"]);
    const joined = await Promise.all(Array.from({ length: 8 }, () => join(ANN)));
    const [victim] = open;

    process.kill(victim?.welcome.pid ?? 0, "SIGKILL");
    await countIs(4);

    expect(joined).toEqual(new Array(8).fill(true));
    expect(await Promise.all(Array.from({ length: 4 }, () => join(BOB)))).toEqual(new Array(4).fill(true));
    expect(await join(BOB)).toBe(503);
  });

  test("after hundreds of clients of every kind have come and gone, nothing is counted", async () => {
    await start(["--limits-max-connections", "10000", "--limits-connections-per-address", "10000"]);

    for (let round = 0; round < 5; round++) {
      const clients = await Promise.all(
        Object.values(TRANSPORTS).flatMap((transports) =>
          Array.from({ length: 20 }, () => connectClient(box.url, { transports: [...transports] })),
        ),
      );
      expect(await counted()).toBeGreaterThanOrEqual(60);
      for (const { socket } of clients) socket.disconnect();
      await Promise.all(Array.from({ length: 20 }, (_, i) => fetch(`${box.url}/${i}`).then((res) => res.text())));
    }

    await countIs(0);
    expect(await metricOf(box, "allcores_admission_addresses")).toBe(0);
  });
});

describe("limits.connectionsPerAddress", () => {
  test("one more is answered 429 with Retry-After; other addresses come in", async () => {
    await start(["--limits-connections-per-address", "2"]);
    await join(ANN);
    await join(ANN);

    const answer = await requestFrom(box.url, ANN, poll());

    expect(answer).toMatch(/^HTTP\/1\.1 429 [\s\S]*Retry-After: \d+\r\n[\s\S]*ALLCORES_ERR_TOO_MANY_CONNECTIONS/);
    expect(await join(ANN)).toBe(429);
    expect(await join(BOB)).toBe(true);
    expect(await metricOf(box, "allcores_admission_refused_total", 'reason="address_full"')).toBe(2);
    expect(await metricOf(box, "allcores_router_refused_total", 'status="429"')).toBe(2);
  });

  // The router took the first session id, which made it a request of a session, and Engine.IO the last, which is none.
  test("a session that begins under the id of another one counts", async () => {
    await start(["--limits-connections-per-address", "1"]);
    await join(ANN);
    const sid = sessionIdGenerator({ slot: 0, incarnation: 1 })();

    const answer = await requestFrom(box.url, ANN, poll(`&sid=${sid}&sid=`));

    expect(answer).toMatch(/^HTTP\/1\.1 429 /);
  });

  test("a long-polling client counts between its requests, and until its session ends", async () => {
    await start(["--limits-connections-per-address", "1"], 1);
    const sid = sidIn(await requestFrom(box.url, ANN, poll()));
    // What the worker says about this one it says after what it says about the first connection.
    await requestFrom(box.url, BOB, "GET /x HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n");
    await countIs(1);

    const refused = await requestFrom(box.url, ANN, poll());
    const body = "Connection: close\r\nContent-Length: 1\r\n\r\n1";
    const packet = "POST /socket.io/?EIO=4&transport=polling&sid=";
    const sent = await requestFrom(box.url, ANN, `${packet}${sid} HTTP/1.1\r\nHost: box\r\n${body}`);
    await countIs(0);

    expect(refused).toMatch(/^HTTP\/1\.1 429 /);
    expect(sent).toMatch(/^HTTP\/1\.1 200 /);
    expect(await requestFrom(box.url, ANN, poll())).toMatch(/^HTTP\/1\.1 200 /);
  });

  test.each(Object.entries(TRANSPORTS))("a stock client counts once, with %s", async (_name, transports) => {
    await start(["--limits-connections-per-address", "1"], 4);
    const upgraded = transports.length === 2;

    const { socket } = await connectClient(box.url, { transports: [...transports] });
    if (upgraded) await until("it has upgraded", () => socket.io.engine.transport.name === "websocket");
    const echoes = await Promise.all(Array.from({ length: 20 }, (_, i) => socket.emitWithAck("echo", i)));

    expect(echoes).toHaveLength(20);
    expect(await counted()).toBe(1);
    socket.disconnect();
    await countIs(0);
  });

  test("sessions that are asked for on one connection, one behind the other, count each", async () => {
    await start(["--limits-connections-per-address", "3"]);
    const socket = await openFrom(box.url, ANN);
    const answer = readToEnd(socket);

    socket.write(poll("", "keep-alive").repeat(7) + poll());
    await until("they are refused", async () => (await metricOf(box, "allcores_admission_refused_total")) === 5);

    expect(sidIn(await answer)).not.toBe("");
    expect(await metricOf(box, "allcores_connections")).toBe(3);
    expect(await counted()).toBe(3);
  });

  test("connections that say nothing are bounded too, and are no hindrance when they are gone", async () => {
    await start(["--limits-connections-per-address", "1"]);
    const silent = await Promise.all(Array.from({ length: 16 }, () => openFrom(box.url, ANN)));

    const refused = await requestFrom(box.url, ANN, "");
    for (const socket of silent) socket.destroy();
    await until("the address is forgotten", async () => (await metricOf(box, "allcores_admission_addresses")) === 0);

    expect(refused).toMatch(/^HTTP\/1\.1 429 /);
    expect(await join(ANN)).toBe(true);
  });

  test("session ids that somebody made up are bounded too", async () => {
    await start(["--limits-connections-per-address", "1"]);
    const sid = sidIn(await requestFrom(box.url, BOB, poll()));
    const upload = `POST /upload?sid=${sid} HTTP/1.1\r\nHost: box\r\nContent-Length: 10\r\n\r\n`;
    const uploads = await Promise.all(Array.from({ length: 16 }, () => openFrom(box.url, ANN)));
    for (const socket of uploads) socket.write(upload);

    const refused = await requestFrom(box.url, ANN, upload);

    expect(refused).toMatch(/^HTTP\/1\.1 429 /);
    for (const socket of uploads) socket.destroy();
  });
});

test("limits.connectsPerSecondPerAddress: past the burst 429, and the limit counts no other address", async () => {
  await start(["--limits-connects-per-second-per-address", "1", "--limits-connect-burst-per-address", "5"]);
  const get = (address: string) =>
    requestFrom(box.url, address, "GET /x HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n");

  const answers = await Promise.all(Array.from({ length: 30 }, () => get(ANN)));
  const other = await get(BOB);

  const refused = answers.filter((answer) => answer.startsWith("HTTP/1.1 429 "));
  expect(refused.length).toBeGreaterThan(0);
  expect(answers.length - refused.length).toBeGreaterThanOrEqual(5);
  expect(other).toMatch(/^HTTP\/1\.1 200 /);
  expect(await metricOf(box, "allcores_admission_refused_total", 'reason="address_rate"')).toBe(refused.length);
});
