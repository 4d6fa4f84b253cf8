// Presence keeps in order with messages, on every worker: nobody is heard before it is known that they came, nor after
// it is known that they went.

import type { Socket } from "socket.io-client";
import { afterEach, describe, expect, test } from "vitest";
import type { PresenceMember, RoomDiff } from "../../src/bus/presence-messages.ts";
import { startBox, type TestBox } from "../helpers/box.ts";
import { connectClient } from "../helpers/clients.ts";
import { until } from "../helpers/until.ts";

const ROOM = "lobby";
const WORKERS = 3;

let box: TestBox;
let sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets) socket.disconnect();
  sockets = [];
  await box.stop();
});

interface State {
  readonly version: number;
  readonly members: readonly PresenceMember[];
}

/** A client that knows who is there, and checks all it hears against it. */
class Person {
  readonly name: string;
  readonly socket: Socket;
  readonly slot: number;
  readonly faults: string[] = [];
  readonly heard: string[] = [];
  #present: Set<string> | undefined;
  #version = 0;

  private constructor(name: string, socket: Socket, slot: number) {
    this.name = name;
    this.socket = socket;
    this.slot = slot;
    socket.on("presence:diff", (diff: RoomDiff) => this.#onDiff(diff));
    socket.on("said", (user: string, word: string) => this.#onSaid(user, word));
  }

  static async connect(name: string): Promise<Person> {
    const { socket, welcome } = await connectClient<{ slot: number }>(box.url);
    sockets.push(socket);
    return new Person(name, socket, welcome.slot);
  }

  enter(): Promise<void> {
    // In the packet's own turn, which a promise would miss.
    return new Promise((resolve) => {
      this.socket.emit("enter", ROOM, this.name, ({ version, members }: State) => {
        this.#present = new Set(members.map(({ user }) => user));
        this.#version = version;
        resolve();
      });
    });
  }

  async exit(): Promise<void> {
    await this.socket.timeout(60_000).emitWithAck("exit", ROOM, this.name);
  }

  say(): void {
    this.socket.emit("say", ROOM, this.name);
  }

  get present(): string[] {
    return [...(this.#present ?? [])].sort();
  }

  #onDiff({ version, joined, left }: RoomDiff): void {
    if (this.#present === undefined) {
      this.faults.push(`${this.name} was told of version ${version} before the state`);
      return;
    }
    if (version !== this.#version + 1) this.faults.push(`${this.name}: ${version} came after ${this.#version}`);
    this.#version = version;
    for (const { user } of joined) this.#present.add(user);
    for (const user of left) this.#present.delete(user);
  }

  #onSaid(user: string, word: string): void {
    this.heard.push(`${user} ${word}`);
    const isKnown = this.#present?.has(user) ?? true;
    if (!isKnown) this.faults.push(`${this.name} heard "${word}" of ${user}, who is not there`);
  }
}

describe("presence on a box of several workers", () => {
  test.each([
    ["with recovery", "1"],
    ["without recovery", "0"],
  ])("nobody is heard before they came or after they went, while many talk: %s", async (_, RECOVERS) => {
    box = await startBox({
      app: "presence-app.mjs",
      workers: WORKERS,
      flags: ["--presence-grace-ms", "0", "--limits-events-per-second", "0"],
      env: { RECOVERS },
    });
    const watchers = await Promise.all(Array.from({ length: 9 }, (_, i) => Person.connect(`watcher ${i}`)));
    for (const watcher of watchers) await watcher.enter();
    const talk = setInterval(() => {
      for (const watcher of watchers) for (let i = 0; i < 5; i++) watcher.say();
    }, 5);

    const guests: Person[] = [];
    try {
      for (let round = 0; round < 12; round++) {
        const party = await Promise.all(Array.from({ length: 10 }, (_, i) => Person.connect(`guest ${round}.${i}`)));
        guests.push(...party);
        await Promise.all(party.map(visit));
      }
    } finally {
      clearInterval(talk);
    }
    const names = watchers.map(({ name }) => name).sort();
    const hasSeenAll = ({ heard, present }: Person): boolean =>
      present.length === names.length && guests.every(({ name }) => heard.includes(`${name} hello`));
    await until("all guests have been heard by all, and are gone", () => watchers.every(hasSeenAll));

    expect(new Set(watchers.map(({ slot }) => slot)).size).toBe(WORKERS);
    expect([...watchers, ...guests].flatMap(({ faults }) => faults)).toEqual([]);
    for (const { present } of watchers) expect(present).toEqual(names);
  });
});

/** Comes, says something, and goes: every other one by closing its connection. */
async function visit(guest: Person, index: number): Promise<void> {
  await guest.enter();
  guest.say();
  if (index % 2 === 0) await guest.exit();
  guest.socket.disconnect();
}
