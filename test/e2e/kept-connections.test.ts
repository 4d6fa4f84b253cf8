// Requests of several sessions on one connection, as proxies send them: each is answered by its own worker, whichever has
// the connection.

import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { Agent, request } from "node:http";
import { createConnection } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { sessionIdGenerator } from "../../src/lib/session-id.ts";
import { type BoxOptions, startBox, type TestBox } from "../helpers/box.ts";
import { newClient, nextEvent, readToEnd } from "../helpers/clients.ts";
import { metricOf } from "../helpers/metrics.ts";
import { ask, beginPolling, PollingSession } from "../helpers/polling.ts";
import { until } from "../helpers/until.ts";

const POLLING = "/socket.io/?EIO=4&transport=polling";

interface Welcome {
  readonly slot: number;
  readonly pid: number;
  readonly address: string;
  readonly headers: readonly string[];
}

let box: TestBox;
/** One connection, whatever is asked. */
let agent: Agent;

async function start(options: BoxOptions = {}): Promise<void> {
  const flags = ["--supervisor-drain-timeout-ms", "2000", ...(options.flags ?? [])];
  box = await startBox({ app: "body-app.mjs", ...options, flags });
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
}

afterEach(async () => {
  agent.destroy();
  await box.stop();
});

const accepted = (): Promise<number> => metricOf(box, "allcores_router_accepted_total");

async function welcomeOf(session: PollingSession): Promise<Welcome> {
  const packet = await session.next("42");
  return (JSON.parse(packet.slice(2)) as [string, Welcome])[1];
}

/** Sessions on one connection, the n-th on slot n % workers. */
async function beginSessions(count: number): Promise<{ session: PollingSession; welcome: Welcome }[]> {
  const all: { session: PollingSession; welcome: Welcome }[] = [];
  for (let i = 0; i < count; i++) {
    const session = await beginPolling(box.url, agent);
    all.push({ session, welcome: await welcomeOf(session) });
  }
  return all;
}

describe("one connection that is kept", () => {
  test("serves sessions of every worker, which get no more of them than others", async () => {
    await start({ workers: 3 });
    const before = await accepted();

    const sessions = await beginSessions(9);

    const perSlot = [0, 1, 2].map((slot) => sessions.filter(({ welcome }) => welcome.slot === slot).length);
    expect(perSlot).toEqual([3, 3, 3]);
    expect(sessions.flatMap(({ welcome }) => welcome.headers).filter((name) => name.startsWith("allcores"))).toEqual(
      [],
    );
    for (const [i, { session }] of sessions.entries()) {
      await session.post(`42${i}["echo","ü${i}"]`);
      expect(await session.next(`43${i}`)).toBe(`43${i}["ü${i}"]`);
    }
    expect(await accepted()).toBe(before + 1);
  });

  test("passes bodies of 8 MB to another worker and back", async () => {
    await start();
    const sessions = await beginSessions(2);
    const text = "aüö€😀".repeat(620_000);

    for (const { session } of sessions) {
      await session.post(`421["echo","${text}"]`);
      expect((await session.next("431")) === `431["${text}"]`).toBe(true);
    }
  });

  test("takes a WebSocket upgrade to the worker of its session, and gives a new one its place", async () => {
    await start({ workers: 3 });
    const sessions = await beginSessions(3);
    const url = box.url.replace("http", "ws");

    for (const { session, welcome } of sessions) {
      await ask(`${box.url}/any`, { agent });
      const upgraded = new WebSocket(`${url}/socket.io/?EIO=4&transport=websocket&sid=${session.sid}`, { agent });
      await once(upgraded, "open");
      upgraded.send("2probe");
      expect(String((await once(upgraded, "message"))[0])).toBe("3probe");
      upgraded.send("5");
      upgraded.send('421["echo",1]');
      expect(String((await once(upgraded, "message"))[0])).toBe("431[1]");
      expect(upgraded.readyState, `slot ${welcome.slot}`).toBe(WebSocket.OPEN);
      upgraded.terminate();
    }
    const slots = new Set<number>();
    for (let i = 0; i < 3; i++) {
      await ask(`${box.url}/any`, { agent });
      const socket = newClient(box.url, { agent } as object);
      slots.add((await nextEvent<Welcome>(socket, "welcome")).slot);
      socket.disconnect();
    }
    expect(slots.size).toBeGreaterThan(1);
  });

  test("answers the session of a worker that is dead as one that is unknown", async () => {
    await start({
      env: { ALLCORES_SUPERVISOR_MIN_RESTART_DELAY_MS: "20000", ALLCORES_SUPERVISOR_MAX_RESTART_DELAY_MS: "20000" },
    });
    const sessions = await beginSessions(2);
    const [holder, other] = sessions;
    if (holder === undefined || other === undefined) throw new Error("two sessions are wanted");

    process.kill(other.welcome.pid, "SIGKILL");
    await until("its worker is gone", async () => (await box.status()).workers.some(({ pid }) => pid === null));
    const get = await other.session.poll();
    const post = await other.session.post('42["echo",1]');
    const neverWas = await ask(`${box.url}${POLLING}&sid=${sessionIdGenerator({ slot: 1, incarnation: 77 })()}`, {
      agent,
    });

    for (const { status, body } of [get, post, neverWas]) {
      expect([status, String(body)]).toEqual([400, '{"code":1,"message":"Session ID unknown"}']);
    }
    await holder.session.post('421["echo",1]');
    expect(await holder.session.next("431")).toBe("431[1]");
  });

  test("that closes under a poll ends the poll's session, at its own worker", async () => {
    await start();
    const sessions = await beginSessions(2);
    expect(new Set(sessions.map(({ welcome }) => welcome.slot)).size).toBe(2);

    // A poll that is given up before it has reached its worker ends nothing.
    await until("all are gone", async () => {
      for (const { session } of sessions) {
        const poll = request(session.url, { agent }).on("error", () => {});
        poll.end();
        await once(poll, "socket");
        await box.status();
        poll.destroy();
      }
      return (await box.status()).workers.every(({ connections }) => connections === 0);
    });
  });

  test("keeps the clients of an affinity key together", async () => {
    await start({ workers: 4, flags: ["--affinity-query", "room"] });

    const slots: number[] = [];
    for (let i = 0; i < 6; i++) slots.push((await welcomeOf(await beginPolling(box.url, agent, "&room=blue"))).slot);

    expect(new Set(slots).size).toBe(1);
  });

  test("counts each session for its client, behind a proxy", async () => {
    await start({ flags: ["--trust-proxy", "127.0.0.1", "--limits-connections-per-address", "2"] });
    const handshake = (address: string) =>
      ask(`${box.url}${POLLING}`, { agent, headers: { "X-Forwarded-For": address } });
    // A session id that somebody made up, so that the connection itself is not counted.
    await ask(`${box.url}${POLLING}&sid=${sessionIdGenerator({ slot: 0, incarnation: 9 })()}`, { agent });

    const statuses: number[] = [];
    for (const address of ["10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.2", "10.0.0.2"]) {
      statuses.push((await handshake(address)).status);
    }

    expect(statuses).toEqual([200, 200, 429, 200, 200, 429]);
    expect(await metricOf(box, "allcores_admission_connections")).toBe(4);
  });

  test("is counted no longer for the client of its first request, behind a proxy", async () => {
    await start({ flags: ["--trust-proxy", "127.0.0.1", "--limits-connections-per-address", "1"] });
    await ask(`${box.url}/any`, { agent, headers: { "X-Forwarded-For": "10.0.0.1" } });

    await until("nothing is counted", async () => (await metricOf(box, "allcores_admission_connections")) === 0);

    const { status } = await ask(`${box.url}${POLLING}`, { agent, headers: { "X-Forwarded-For": "10.0.0.1" } });
    expect(status).toBe(200);
  });

  test("tells the app the client's address, wherever its session is", async () => {
    await start({ flags: ["--trust-proxy", "127.0.0.1"] });

    for (let i = 1; i <= 4; i++) {
      const headers = { "X-Forwarded-For": `10.0.0.${i}` };
      const { body } = await ask(`${box.url}${POLLING}`, { agent, headers });
      const { sid } = JSON.parse(String(body).slice(1)) as { sid: string };
      const session = new PollingSession(`${box.url}${POLLING}&sid=${sid}`, sid, agent);
      await session.post("40");
      expect((await welcomeOf(session)).address).toBe(`10.0.0.${i}`);
    }
  });

  test("is let go by a worker that is replaced, and a poll of another worker's session with it", async () => {
    await start({ flags: ["--reload-surge", "1"] });
    // The connection is at the worker that was asked for first, and that is replaced first.
    const [first, second] = await beginSessions(2);
    expect([first?.welcome.slot, second?.welcome.slot]).toEqual([0, 1]);
    const poll = second?.session.poll();

    box.child.kill("SIGHUP");

    // Nothing (a `noop`), where the end of the session would have been a `close`.
    expect(String((await poll)?.body)).toBe("6");
    await until("both are replaced", async () => {
      const { workers } = await box.status();
      return workers.every(({ incarnation, state }) => incarnation === 2 && state === "ready");
    });
  });
});

describe("the router's unix socket", () => {
  test("is its user's alone, and serves nobody without the box's secret", async () => {
    await start();
    const folder = box.runtimeDir;
    const name = readdirSync(folder).find((file) => file.startsWith("relay-")) ?? "";
    const path = join(folder, name);

    const answers = await Promise.all(
      ["", "allcores-relay: guess 127.0.0.1\r\n"].map((header) => {
        const socket = createConnection(path);
        socket.write(`GET ${POLLING} HTTP/1.1\r\nHost: box\r\n${header}\r\n`);
        return readToEnd(socket);
      }),
    );

    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(answers).toEqual(answers.map(() => expect.stringMatching(/^HTTP\/1\.1 400 /)));
  });
});
