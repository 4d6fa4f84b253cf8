// A box behind a real reverse proxy that keeps its connections to the box: requests of different sessions, on
// different workers, must not meet on one of them.

import { Agent, request } from "node:http";
import type { Socket } from "socket.io-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startBox, type TestBox } from "../helpers/box.ts";
import { connectClient, nextEvent, TRANSPORTS } from "../helpers/clients.ts";
import { metricOf } from "../helpers/metrics.ts";
import { CADDY, HAPROXY, NGINX, type RunningProxy, startProxyProgram } from "../helpers/proxy.ts";
import { describeWith } from "../helpers/requirements.ts";
import { until } from "../helpers/until.ts";

const CLIENTS = 20;
const START_TIMEOUT_MS = 60_000;

interface Welcome {
  readonly slot: number;
  readonly pid: number;
}

for (const program of [NGINX, HAPROXY, CADDY]) {
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

    test("sessions of both workers share few connections to the box", async () => {
      const clients = await Promise.all(
        Array.from({ length: 4 }, () => connectClient<Welcome>(proxy.url, { transports: ["polling"] })),
      );
      open = clients.map(({ socket }) => socket);
      const before = await metricOf(box, "allcores_router_accepted_total");

      for (let i = 0; i < 50; i++) {
        const echoes = await Promise.all(open.map((socket) => socket.emitWithAck("echo", i)));
        expect(echoes).toEqual([i, i, i, i]);
      }

      expect(new Set(clients.map(({ welcome }) => welcome.slot)).size).toBe(2);
      // Each echo is two requests at least: 400 in all.
      expect((await metricOf(box, "allcores_router_accepted_total")) - before).toBeLessThan(100);
    });

    test("clients of a worker that is killed come back, and the others stay", async () => {
      const clients = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          connectClient<Welcome>(proxy.url, {
            transports: [i % 2 === 0 ? "polling" : "websocket"],
            reconnection: true,
            reconnectionDelay: 100,
          }),
        ),
      );
      open = clients.map(({ socket }) => socket);
      const victim = clients[0]?.welcome;
      const hit = clients.filter(({ welcome }) => welcome.pid === victim?.pid);
      const back = hit.map(({ socket }) => nextEvent<Welcome>(socket, "welcome"));
      const lost: Socket[] = [];
      for (const { socket } of clients) socket.on("disconnect", () => lost.push(socket));

      process.kill(victim?.pid ?? 0, "SIGKILL");

      const pids = (await Promise.all(back)).map(({ pid }) => pid);
      const echoes = await Promise.all(open.map((socket) => socket.emitWithAck("echo", "here")));
      expect(pids).not.toContain(victim?.pid);
      expect(echoes).toEqual(open.map(() => "here"));
      await until("the slot is filled", async () =>
        (await box.status()).workers.every(({ state }) => state === "ready"),
      );
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
