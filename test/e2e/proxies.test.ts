// A box behind a real reverse proxy that keeps its connections to the box: requests of different sessions, on
// different workers, must not meet on one of them.

import { Agent, request } from "node:http";
import type { Socket } from "socket.io-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startBox, type TestBox } from "../helpers/box.ts";
import { connectClient, TRANSPORTS } from "../helpers/clients.ts";
import { HAPROXY, NGINX, type RunningProxy, startProxyProgram } from "../helpers/proxy.ts";
import { describeWith } from "../helpers/requirements.ts";

const CLIENTS = 20;
const START_TIMEOUT_MS = 60_000;

interface Welcome {
  readonly slot: number;
}

for (const program of [NGINX, HAPROXY]) {
  describeWith(program.command, `a box of 2 workers behind ${program.command}`, () => {
    let box: TestBox;
    let proxy: RunningProxy;
    let open: Socket[] = [];

    beforeAll(async () => {
      box = await startBox({ app: "echo-app.mjs", workers: 2 });
      proxy = await startProxyProgram(program, box.url);
    }, START_TIMEOUT_MS);
    afterEach(() => {
      for (const socket of open) socket.disconnect();
      open = [];
    });
    afterAll(async () => {
      await proxy?.stop();
      await box?.stop();
    });

    describe.each(Object.entries(TRANSPORTS))("with %s", (_name, transports) => {
      test("every client is served, on both workers, and hears its room", async () => {
        const clients = await Promise.all(
          Array.from({ length: CLIENTS }, () => connectClient<Welcome>(proxy.url, { transports: [...transports] })),
        );
        open = clients.map(({ socket }) => socket);
        await Promise.all(open.map((socket) => socket.emitWithAck("join", "lobby")));
        const heard = open.map((socket) => hear(socket, CLIENTS));

        for (const [i, socket] of open.entries()) socket.emit("say", "lobby", i, Buffer.from("ü"));

        const all = Array.from({ length: CLIENTS }, (_, i) => i);
        expect(await Promise.all(heard)).toEqual(open.map(() => all));
        expect(new Set(clients.map(({ welcome }) => welcome.slot))).toEqual(new Set([0, 1]));
        expect(open.every(({ connected }) => connected)).toBe(true);
      });
    });

    test("the app's own requests are answered while clients poll, over kept connections", async () => {
      const clients = await Promise.all(
        Array.from({ length: 4 }, () => connectClient<Welcome>(proxy.url, { transports: ["polling"] })),
      );
      open = clients.map(({ socket }) => socket);
      const agent = new Agent({ keepAlive: true, maxSockets: 4 });

      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, i) => post(agent, `${proxy.url}/upload/${i}`, Buffer.alloc(i * 1000 + 1, "ü"))),
      );
      const echoes = await Promise.all(open.map((socket, i) => socket.emitWithAck("echo", i)));

      expect(answers).toEqual(answers.map((_, i) => `200 POST /upload/${i} ${i * 1000 + 1}`));
      expect(echoes).toEqual([0, 1, 2, 3]);
      agent.destroy();
    });

    test("a body of 7 MB reaches the app whole", async () => {
      const agent = new Agent();

      const answer = await post(agent, `${proxy.url}/upload`, Buffer.alloc(7_000_000, "ü"));

      expect(answer).toBe("200 POST /upload 7000000");
    });
  });
}

/** The first argument of `count` messages, in ascending order. */
function hear(socket: Socket, count: number): Promise<number[]> {
  const said: number[] = [];
  return new Promise((resolve) => {
    socket.on("said", (i: number) => {
      said.push(i);
      if (said.length === count) resolve(said.sort((a, b) => a - b));
    });
  });
}

/** Status and text of the answer. */
function post(agent: Agent, url: string, body: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const req = request(url, { agent, method: "POST", headers: { "Content-Length": body.length } }, (res) => {
      let text = "";
      res.on("data", (chunk) => {
        text += chunk;
      });
      res.on("end", () => resolve(`${res.statusCode} ${text}`));
    });
    req.on("error", reject);
    req.end(body);
  });
}
