// Requests cut, glued and filled in every way, through a real box: each gets the answer to what it asked, and no other.

import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBox, type TestBox } from "../helpers/box.ts";
import { openSocket, rawRequest, readToEnd } from "../helpers/clients.ts";
import { ask, beginPolling } from "../helpers/polling.ts";

const SIZES = [1, 2, 3, 1000, 65_536, 1_000_003, 8_000_000];
const END = "Host: box\r\nConnection: close\r\n\r\n";
const POLLING = "/socket.io/?EIO=4&transport=polling";

let box: TestBox;

beforeAll(async () => {
  box = await startBox({ app: "body-app.mjs" });
});
afterAll(() => box.stop());

describe("a request cut at every byte position", () => {
  test("WebSocket upgrade", async () => {
    const upgrade =
      "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: box\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    const bytes = Buffer.from(upgrade);

    const answers = await cutEverywhere(
      () => bytes,
      bytes.length,
      (socket) => readUntil(socket, "pingInterval"),
    );

    expect(answers).toEqual(answers.map(() => expect.stringMatching(/^HTTP\/1\.1 101 [\s\S]*0\{"sid":"/)));
  });

  test("polling GET", async () => {
    const bytes = Buffer.from(`GET ${POLLING} HTTP/1.1\r\n${END}`);

    const answers = await cutEverywhere(() => bytes, bytes.length);

    expect(answers).toEqual(answers.map(() => expect.stringMatching(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\n0\{"sid":"/)));
  });

  test("polling POST with its body", async () => {
    const requestOf = (sid: string): Buffer =>
      Buffer.from(`POST ${POLLING}&sid=${sid} HTTP/1.1\r\nContent-Length: 14\r\n${END}40{"a":"üö"}`);
    const length = requestOf("x".repeat(20)).length;
    const sids = await Promise.all(Array.from({ length }, () => beginSession()));

    const answers = await cutEverywhere((i) => requestOf(sids[i] ?? ""), length);

    expect(answers).toEqual(answers.map(() => expect.stringMatching(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\nok$/)));
  });

  test("POST to the app's http, its body in chunks", async () => {
    const body = "4\r\nüö\r\n1\r\n\n\r\n0\r\n\r\n";
    const bytes = Buffer.from(`POST /any HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${END}${body}`);

    const answers = await cutEverywhere(() => bytes, bytes.length);

    const echo = Buffer.from(body).toString("latin1");
    expect(answers.map((answer) => bodyOf(answer))).toEqual(answers.map(() => unchunk(echo)));
  });
});

describe("two requests in one write", () => {
  test("of the app's http are answered in order, each by its own answer", async () => {
    const answer = await rawRequest(box.url, [
      `GET /first HTTP/1.1\r\nHost: box\r\n\r\nGET /second HTTP/1.1\r\n${END}`,
    ]);

    expect(answer.match(/GET \/\w+/g)).toEqual(["GET /first", "GET /second"]);
  });

  test("of one session", async () => {
    const session = await beginPolling(box.url);
    await session.next("42");
    const { sid } = session;
    const body = '421["echo",1]';
    const post = `POST ${POLLING}&sid=${sid} HTTP/1.1\r\nHost: box\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

    const answer = await rawRequest(box.url, [`${post}GET ${POLLING}&sid=${sid} HTTP/1.1\r\n${END}`]);

    expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*ok[\s\S]*431\[1\]$/);
  });

  test("of sessions on different workers", async () => {
    const [one, other] = await sessionsOnBothWorkers();

    const answer = await rawRequest(box.url, [
      `GET ${POLLING}&sid=${one.sid} HTTP/1.1\r\nHost: box\r\n\r\nGET ${POLLING}&sid=${other.sid} HTTP/1.1\r\n${END}`,
    ]);

    expect(answer.match(/"pid":\d+/g)).toEqual([`"pid":${one.pid}`, `"pid":${other.pid}`]);
  });
});

describe.each(SIZES)("%i bytes", (size) => {
  const text = "aüö€😀".repeat(Math.ceil(size / 13)).slice(0, size);
  const cut = Buffer.from(text).subarray(0, size);
  const binary = Buffer.from(Array.from({ length: Math.min(size, 4096) }, (_, i) => (i * 7) % 256));
  const bytes = Buffer.alloc(size, binary);

  test.each([
    ["binary", bytes],
    ["cut in the middle of a character", cut],
  ])("%s come back from the app's http", async (_what, body) => {
    const { body: echo } = await ask(`${box.url}/echo`, { method: "POST", body });

    expect(hash(echo)).toBe(hash(body));
  });

  test("come back from a handler, as text, by long-polling", async () => {
    const session = await beginPolling(box.url);
    const sent = `421${JSON.stringify(["echo", text.slice(0, size / 2)])}`;

    const { body: ok } = await session.post(sent);
    const ack = await session.next("431");

    expect(String(ok)).toBe("ok");
    expect(hash(ack)).toBe(hash(`431${JSON.stringify([text.slice(0, size / 2)])}`));
  });

  test("come back from a handler, as bytes, by long-polling", async () => {
    const session = await beginPolling(box.url);
    const attachment = `b${bytes.toString("base64")}`;

    await session.post(`451-1["echo",{"_placeholder":true,"num":0}]\x1e${attachment}`);
    const ack = await session.next("461-1");
    const echo = await session.next("b");

    expect(ack).toBe('461-1[{"_placeholder":true,"num":0}]');
    expect(hash(echo)).toBe(hash(attachment));
  });
});

/**
 * Sends the bytes once for every position, in two parts on a connection of its own. The second parts leave when a later
 * request was answered, so the router has read all first parts by then.
 */
async function cutEverywhere(
  requestOf: (i: number) => Buffer,
  length: number,
  read: (socket: Socket) => Promise<string> = readToEnd,
): Promise<string[]> {
  const cuts = Array.from({ length: length - 1 }, (_, i) => i + 1);
  const sockets = await Promise.all(cuts.map(() => openSocket(box.url)));
  const answers = sockets.map((socket) => read(socket));
  for (const [i, at] of cuts.entries()) sockets[i]?.write(requestOf(i).subarray(0, at));
  await rawRequest(box.url, [`GET /later HTTP/1.1\r\n${END}`]);
  for (const [i, at] of cuts.entries()) sockets[i]?.write(requestOf(i).subarray(at));
  return Promise.all(answers);
}

/** Everything until the text has come. */
async function readUntil(socket: Socket, text: string): Promise<string> {
  let all = "";
  for await (const chunk of socket) {
    all += String(chunk);
    if (all.includes(text)) break;
  }
  return all;
}

async function beginSession(): Promise<string> {
  const { body } = await ask(`${box.url}${POLLING}`);
  return /"sid":"([^"]+)"/.exec(String(body))?.[1] ?? "";
}

/** Sessions that have a `welcome` waiting for them. */
async function sessionsOnBothWorkers(): Promise<[{ sid: string; pid: number }, { sid: string; pid: number }]> {
  const sessions = await Promise.all(Array.from({ length: 8 }, () => beginSession()));
  await Promise.all(sessions.map((sid) => ask(`${box.url}${POLLING}&sid=${sid}`, { method: "POST", body: "40" })));
  const { workers } = await box.status();
  const found = workers.map(({ slot, pid }) => ({
    sid: sessions.find((sid) => sid.startsWith(`A${"AB"[slot]}`)) ?? "",
    pid: pid ?? 0,
  }));
  const [one, other] = found;
  if (one === undefined || other === undefined) throw new Error("a box of two workers is wanted");
  return [one, other];
}

function bodyOf(answer: string): string {
  const [head = "", ...rest] = answer.split("\r\n\r\n");
  const body = rest.join("\r\n\r\n");
  return /transfer-encoding: chunked/i.test(head) ? unchunk(body) : body;
}

function unchunk(text: string): string {
  let body = "";
  for (let rest = text; rest !== ""; ) {
    const end = rest.indexOf("\r\n");
    const size = Number.parseInt(rest.slice(0, end), 16);
    if (!(size > 0)) break;
    body += rest.slice(end + 2, end + 2 + size);
    rest = rest.slice(end + 2 + size + 2);
  }
  return body;
}

function hash(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}
