// Promise 1 across a restart of the whole box: a graceful one costs nobody anything, and after any other one all start
// afresh. The clients are stock ones.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket } from "socket.io-client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CLI, fixture, startBox, type TestBox } from "../helpers/box.ts";
import { newClient, TRANSPORTS } from "../helpers/clients.ts";
import { freePort } from "../helpers/free-port.ts";
import { judge } from "../helpers/history.ts";
import { describeWith } from "../helpers/requirements.ts";
import { StockMember } from "../helpers/stock-member.ts";
import { until } from "../helpers/until.ts";

const PATIENT = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 500 } as const;

let stateDir: string;
let port: number;
let box: TestBox | undefined;
let sockets: Socket[];

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "allcores-restart-"));
  port = await freePort();
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.disconnect();
  await box?.stop();
  box = undefined;
  await rm(stateDir, { recursive: true });
});

interface StartOptions {
  readonly app?: string;
  readonly workers?: number;
  readonly flags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

async function start({ app = "keeps-sessions.mjs", flags = [], env = {}, ...rest }: StartOptions = {}): Promise<void> {
  const allFlags = ["--port", String(port), "--reload-batch-size", "5", ...flags];
  box = await startBox({ app, flags: allFlags, env: { STATE_DIRECTORY: stateDir, ...env }, ...rest });
}

async function stop(): Promise<void> {
  await box?.stop();
}

interface Welcome {
  readonly recovered: boolean;
  readonly data: { readonly name: string };
  readonly rooms: readonly string[];
  /** Its process id. */
  readonly primary: number;
}

/** A client that keeps what it is told. */
class Client {
  readonly socket: Socket;
  readonly welcomes: Welcome[] = [];
  readonly heard: string[] = [];
  readonly #name: string;

  constructor(name: string, { namespace = "/", transports = TRANSPORTS["WebSocket only"] as readonly string[] } = {}) {
    const url = `http://127.0.0.1:${port}${namespace}`;
    this.#name = name;
    this.socket = newClient(url, { ...PATIENT, auth: { name }, transports: [...transports] as never });
    this.socket.on("welcome", (welcome: Welcome) => this.welcomes.push(welcome));
    this.socket.on("said", (text: string) => this.heard.push(text));
    sockets.push(this.socket);
  }

  async join(...rooms: string[]): Promise<void> {
    for (const room of rooms) await this.socket.timeout(60_000).emitWithAck("join", room);
  }

  /** Makes it present, and says so to the room. */
  async enter(room: string): Promise<{ readonly members: readonly { readonly user: string }[] }> {
    return this.socket.timeout(60_000).emitWithAck("enter", room, this.#name);
  }

  async say(room: string, text: string): Promise<void> {
    await this.socket.timeout(60_000).emitWithAck("say", room, text);
  }

  /** It has been welcomed so many times. */
  async welcomed(times: number): Promise<Welcome> {
    await until(`welcome ${times}`, () => this.welcomes.length >= times);
    return this.welcomes[times - 1] as Welcome;
  }
}

function warnings(): string[] {
  const lines = (box?.stderr() ?? "").split("\n").filter((line) => line.startsWith("{"));
  return lines
    .map((line) => JSON.parse(line))
    .flatMap((line) => (line.level === 40 && line.err ? [line.err.message] : []));
}

describe("a graceful restart of the box", () => {
  test("costs no message: clients that talk until the last moment hear everything once, in one order", async () => {
    await start({ app: "history-app.mjs", workers: 3 });
    const members = Array.from(
      { length: 60 },
      (_, i) => new StockMember(`http://127.0.0.1:${port}`, `c${i}`, `room ${i % 6}`),
    );
    sockets.push(...members.map(({ socket }) => socket));
    await until("all are in", () => members.every(({ isIn }) => isIn));
    const talking = new AbortController();
    const talked = talk(members, talking.signal);

    await stop();
    await start({ app: "history-app.mjs", workers: 2 });
    await until("all are back", () => members.every(({ isConnected, recoveries }) => isConnected && recoveries > 0));
    talking.abort();
    await talked;
    await until("all have heard the same", () => isSettled(members));

    const { faults, recovered, unrecovered, acked } = judge(members);
    expect(faults).toEqual([]);
    expect(unrecovered).toBe(0);
    expect(recovered).toBeGreaterThanOrEqual(members.length);
    expect(acked).toBeGreaterThan(members.length);
  });

  test.each(Object.entries(TRANSPORTS))(
    "gives a client its rooms and data back, and what it missed: %s",
    async (_, transports) => {
      await start();
      const [ann, bob] = [new Client("ann", { transports }), new Client("bob", { transports })];
      const side = new Client("ann on the side", { namespace: "/side", transports });
      await ann.join("red", "after bob");
      await side.join("red");
      await bob.say("red", "before");
      await until("ann has heard", () => ann.heard.length === 1);
      // Bob goes for good while the box stops; ann, cut off before, can only hear of it afterwards.
      ann.socket.io.reconnection(false);
      ann.socket.io.engine.close();
      side.socket.io.reconnection(false);
      side.socket.io.engine.close();
      await bob.say("red", "while ann is away");

      await stop();
      await start();
      for (const { socket } of [ann, side]) {
        socket.io.reconnection(true);
        socket.connect();
      }
      const welcome = await ann.welcomed(2);
      const sideWelcome = await side.welcomed(2);
      await bob.welcomed(2);
      await bob.say("red", "after");
      await until("ann has heard the last", () => ann.heard.includes("after"));

      expect(welcome).toMatchObject({ recovered: true, data: { name: "ann" } });
      expect([...welcome.rooms].sort()).toEqual(["after bob", "red"]);
      expect(sideWelcome).toMatchObject({ recovered: true, data: { name: "ann on the side" }, rooms: ["red"] });
      expect(ann.heard).toEqual(["before", "while ann is away", "bob went", "after"]);
      expect(side.heard).toEqual([]);
    },
  );

  // Engine.IO waited for such a client's next poll for half a minute.
  test("does not wait for long-polling clients that have gone without a word", async () => {
    await start({ flags: ["--supervisor-drain-timeout-ms", "100000"] });
    const answer = await fetch(`http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`);
    const opened = await answer.text();

    const code = await box?.stop();

    expect(opened).toMatch(/^0\{"sid":/);
    expect(code).toBe(0);
  });

  test("is not seen by those who are present: who comes back was never away", async () => {
    const options = { app: "presence-app.mjs", env: { RECOVERS: "1" }, flags: ["--presence-grace-ms", "60000"] };
    await start(options);
    const [ann, bob] = [new Client("ann"), new Client("bob")];
    await ann.enter("lobby");
    await bob.enter("lobby");
    bob.socket.io.reconnection(false);

    await stop();
    await start(options);
    await ann.welcomed(2);
    const state = await ann.enter("lobby");
    const noise: unknown[] = [];
    ann.socket.on("presence:diff", (diff) => noise.push(diff));
    bob.socket.io.reconnection(true);
    bob.socket.connect();
    const again = await bob.enter("lobby");
    // Whatever the box had to say to ann about it is here when this is.
    await until("ann has heard bob", () => ann.heard.filter((text) => text === "bob").length > 1);

    const both = [expect.objectContaining({ user: "ann" }), expect.objectContaining({ user: "bob" })];
    expect(state.members).toEqual(both);
    expect(again.members).toEqual(both);
    expect(noise).toEqual([]);
  });

  test("may happen again and again", async () => {
    await start();
    const ann = new Client("ann");
    await ann.join("red");

    for (let life = 2; life <= 4; life++) {
      await stop();
      await start();
      expect(await ann.welcomed(life)).toMatchObject({ recovered: true, rooms: ["red"] });
    }

    expect(ann.welcomes).toHaveLength(4);
  });

  // The rollback of a broken deploy comes in time, too.
  test("survives a start in between that fails", async () => {
    await start();
    const ann = new Client("ann");
    await ann.join("red");
    await stop();

    await expect(start({ env: { BREAKS_AT_BOOT: "1" } })).rejects.toThrow(/broken on purpose/);
    await start();

    expect(await ann.welcomed(2)).toMatchObject({ recovered: true, rooms: ["red"] });
  });
});

describeWith(["systemd-socket-activate", "bash"], "a graceful restart behind a socket that systemd holds", () => {
  test("refuses nobody and recovers all", async () => {
    const activated = spawnActivated();
    try {
      const ann = new Client("ann");
      const { primary } = await ann.welcomed(1);
      await ann.join("red");
      const refusals: Error[] = [];
      ann.socket.io.on("reconnect_error", (error) => refusals.push(error));

      process.kill(primary, "SIGTERM");
      const welcome = await ann.welcomed(2);
      const refused = [...refusals];
      process.kill(welcome.primary, "SIGTERM");
      await once(activated, "exit");

      expect(welcome).toMatchObject({ recovered: true, rooms: ["red"] });
      expect(welcome.primary).not.toBe(primary);
      expect(refused).toEqual([]);
    } finally {
      activated.kill("SIGKILL");
    }
  });
});

describe("clients start afresh", () => {
  test("when the primary was killed: also when it had been restarted before", async () => {
    await start();
    const ann = new Client("ann");
    await ann.join("red");
    await stop();
    await start();
    await ann.welcomed(2);

    box?.child.kill("SIGKILL");
    await box?.exited;
    await start();

    expect(await ann.welcomed(3)).toMatchObject({ recovered: false, rooms: [] });
    expect(ann.welcomes[1]).toMatchObject({ recovered: true });
  });

  test("when the saved state is damaged, which is logged; the file is set aside", async () => {
    await start();
    const ann = new Client("ann");
    await ann.join("red");
    await stop();
    const path = join(stateDir, "hub-0.state");
    const bytes = await readFile(path);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(path, bytes);

    await start();

    expect(await ann.welcomed(2)).toMatchObject({ recovered: false, rooms: [] });
    expect(warnings()).toEqual([expect.stringContaining("a checksum is wrong")]);
    expect(await readdir(stateDir)).toContain("hub-0.state.rejected-1");
  });

  test("when nothing is to be saved", async () => {
    await start({ flags: ["--no-recovery-save-state"] });
    const ann = new Client("ann");
    await ann.join("red");

    await stop();
    const left = await readdir(stateDir);
    await start();

    expect(left).toEqual([]);
    expect(await ann.welcomed(2)).toMatchObject({ recovered: false });
  });

  test("when there is no place for the state, which is logged at the start", async () => {
    await start({ env: { STATE_DIRECTORY: "/dev/null" } });

    expect(warnings()).toEqual([expect.stringContaining("The state directory /dev/null cannot be used")]);
  });
});

/** Everybody says one thing after the other until it is over. Resolves when all that was acked is known. */
async function talk(members: readonly StockMember[], signal: AbortSignal): Promise<void> {
  for (let round = 0; !signal.aborted; round++) {
    for (const member of members) if (member.isConnected) member.say(round);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isSettled(members: readonly StockMember[]): boolean {
  const byRoom = new Map<string, number>();
  for (const { room, heard } of members) byRoom.set(room, Math.max(byRoom.get(room) ?? 0, heard.length));
  return members.every(({ room, heard }) => heard.length === byRoom.get(room));
}

/** Two boxes, one after the other, on one socket that stays open between them. */
function spawnActivated(): ChildProcess {
  const variables = [`RUNTIME_DIRECTORY=${stateDir}`, `STATE_DIRECTORY=${stateDir}`].map((one) => `--setenv=${one}`);
  // It names its own child in LISTEN_PID, which is the shell.
  const twice = 'for life in 1 2; do (export LISTEN_PID=$BASHPID; exec "$@"); done';
  const command = [process.execPath, CLI, "start", fixture("keeps-sessions.mjs"), "--workers=2", "--port=0"];
  return spawn(
    "systemd-socket-activate",
    [`--listen=127.0.0.1:${port}`, ...variables, "bash", "-c", twice, "bash", ...command, "--admin-port=0"],
    { stdio: "ignore" },
  );
}
