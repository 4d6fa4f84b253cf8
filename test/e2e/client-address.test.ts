// Who the client is, when proxies say so: what the app is told, and whom the limits count.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { joinFrom, requestFrom } from "../helpers/addressed.ts";
import { startBox, type TestBox } from "../helpers/box.ts";
import { rawRequest } from "../helpers/clients.ts";
import { metricOf } from "../helpers/metrics.ts";
import { HAPROXY, NGINX, type ProxyProgram, type RunningProxy, startProxyProgram } from "../helpers/proxy.ts";
import { COMMAND, FAMILY, proxyHeaderV2, tcp4Block } from "../helpers/proxy-header.ts";
import { describeWith } from "../helpers/requirements.ts";

const START_TIMEOUT_MS = 60_000;
const PROXY = "127.0.0.1";
// Sessions that poll end with the box, which is not to wait for their next request.
const TRUST = ["--trust-proxy", PROXY, "--supervisor-drain-timeout-ms", "500"];
const ANN = "127.0.0.2";
const BOB = "127.0.0.3";

const request = (headers = ""): string => `GET /x HTTP/1.1\r\nHost: box\r\nConnection: close\r\n${headers}\r\n`;
const SEEN = /X-Seen-Address: (\S+)/;
const seenIn = (answer: string): string | undefined => SEEN.exec(answer)?.[1];

async function addressOf(url: string, from: string, headers: Record<string, string> = {}): Promise<string | number> {
  const client = await joinFrom(url, from, headers);
  if (typeof client === "number") return client;
  client.ws.terminate();
  return client.welcome.address;
}

describe("a box that trusts one proxy", () => {
  let box: TestBox;
  beforeAll(async () => {
    box = await startBox({ app: "echo-app.mjs", flags: [...TRUST, "--limits-connections-per-address", "1000"] });
  }, START_TIMEOUT_MS);
  afterAll(() => box.stop());

  test("tells the app what the proxy's X-Forwarded-For says", async () => {
    const forwarded = { "X-Forwarded-For": "1.1.1.1, 198.51.100.7" };

    expect(await addressOf(box.url, PROXY, forwarded)).toBe("198.51.100.7");
    expect(seenIn(await requestFrom(box.url, PROXY, request("X-Forwarded-For: 198.51.100.7\r\n")))).toBe(
      "198.51.100.7",
    );
  });

  test("believes nobody else", async () => {
    expect(await addressOf(box.url, ANN, { "X-Forwarded-For": "198.51.100.7" })).toBe(ANN);
  });

  test("refuses the PROXY protocol when it is not asked for", async () => {
    const answer = await requestFrom(box.url, PROXY, `PROXY TCP4 198.51.100.7 192.0.2.1 1 2\r\n${request()}`);

    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });
});

test("without trustProxy X-Forwarded-For says nothing", async () => {
  const box = await startBox({ app: "echo-app.mjs" });

  expect(await addressOf(box.url, PROXY, { "X-Forwarded-For": "198.51.100.7" })).toBe(PROXY);
  await box.stop();
});

describe("a box with the PROXY protocol", () => {
  let box: TestBox;
  beforeAll(async () => {
    box = await startBox({ app: "echo-app.mjs", flags: [...TRUST, "--proxy-protocol"] });
  }, START_TIMEOUT_MS);
  afterAll(() => box.stop());

  test.each([
    ["v1", Buffer.from("PROXY TCP4 198.51.100.7 192.0.2.1 4711 80\r\n"), "198.51.100.7"],
    ["v1, UNKNOWN", Buffer.from("PROXY UNKNOWN\r\n"), PROXY],
    ["v2", proxyHeaderV2(COMMAND.proxy, FAMILY.tcp4, tcp4Block([198, 51, 100, 7])), "198.51.100.7"],
    ["v2, LOCAL", proxyHeaderV2(COMMAND.local, FAMILY.none, Buffer.alloc(0)), PROXY],
  ])("%s: the app sees the client's address, however the bytes are cut", async (_name, header, address) => {
    const bytes = Buffer.concat([header, Buffer.from(request())]);

    const whole = await requestFrom(box.url, PROXY, bytes);
    const cut = await rawRequest(
      box.url,
      [...bytes].map((byte) => Buffer.from([byte])),
    );

    expect(whole).toMatch(/^HTTP\/1\.1 200 [\s\S]*GET \/x 0$/);
    expect(cut).toMatch(/^HTTP\/1\.1 200 [\s\S]*GET \/x 0$/);
    expect([seenIn(whole), seenIn(cut)]).toEqual([address, address]);
  });

  test.each([
    ["no header", request()],
    ["a malformed one", `PROXY TCP4 198.51.100.7 4711 80\r\n${request()}`],
  ])("closes a connection of the proxy with %s, without an answer, and counts it", async (_what, bytes) => {
    const before = await metricOf(box, "allcores_admission_refused_total", 'reason="proxy_header"');

    const answer = await requestFrom(box.url, PROXY, bytes);

    expect(answer).toBe("");
    expect(await metricOf(box, "allcores_admission_refused_total", 'reason="proxy_header"')).toBe(before + 1);
  });

  test("serves others without it, and refuses theirs", async () => {
    const plain = await requestFrom(box.url, ANN, request("X-Forwarded-For: 198.51.100.7\r\n"));
    const forged = await requestFrom(box.url, ANN, `PROXY TCP4 198.51.100.7 192.0.2.1 1 2\r\n${request()}`);
    const header = proxyHeaderV2(COMMAND.proxy, FAMILY.tcp4, tcp4Block([198, 51, 100, 7]));
    const forgedV2 = await requestFrom(box.url, ANN, Buffer.concat([header, Buffer.from(request())]));

    expect(seenIn(plain)).toBe(ANN);
    expect(forged).toMatch(/^HTTP\/1\.1 400 /);
    expect(forgedV2).toMatch(/^HTTP\/1\.1 400 /);
  });
});

const HAPROXY_V1: ProxyProgram = { ...HAPROXY, config: "haproxy-proxy-v1.cfg" };
const HAPROXY_V2: ProxyProgram = { ...HAPROXY, config: "haproxy-proxy-v2.cfg" };

describe.each([
  ["nginx with X-Forwarded-For", NGINX, []],
  ["HAProxy with X-Forwarded-For", HAPROXY, []],
  ["HAProxy with send-proxy", HAPROXY_V1, ["--proxy-protocol"]],
  ["HAProxy with send-proxy-v2", HAPROXY_V2, ["--proxy-protocol"]],
] as const)("behind %s", (_name, program, flags) => {
  describeWith(program.command, `a box with a limit of 2 for an address, behind ${program.config}`, () => {
    let box: TestBox;
    let proxy: RunningProxy;

    beforeAll(async () => {
      const limit = ["--limits-connections-per-address", "2"];
      box = await startBox({ app: "echo-app.mjs", flags: [...TRUST, ...limit, ...flags] });
      proxy = await startProxyProgram(program, box.url);
    }, START_TIMEOUT_MS);
    afterAll(async () => {
      await proxy?.stop();
      await box?.stop();
    });

    test("the app sees each client's address, and each address has the limit for itself", async () => {
      const answers = [];
      for (const from of [ANN, ANN, ANN, BOB, BOB, BOB]) answers.push(await joinFrom(proxy.url, from));

      const seen = answers.map((answer) => (typeof answer === "number" ? answer : answer.welcome.address));
      for (const answer of answers) if (typeof answer !== "number") answer.ws.terminate();

      expect(seen).toEqual([ANN, ANN, 429, BOB, BOB, 429]);
    });

    test("long-polling sessions over the proxy's connections count for their own client", async () => {
      const poll = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n";
      const addresses = Array.from({ length: 12 }, (_, i) => `127.0.1.${Math.floor(i / 3) + 1}`);

      const answers = [];
      for (const from of addresses) answers.push(await requestFrom(proxy.url, from, poll));

      expect(answers.map((answer) => Number(answer.split(" ")[1]))).toEqual(
        addresses.map((_, i) => (i % 3 === 2 ? 429 : 200)),
      );
    });
  });
});
