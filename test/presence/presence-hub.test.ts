// What presence says has its place among the messages of the hub, batch by batch.

import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { BusConnection } from "../../src/bus/connection.ts";
import { decodePassed, decodePublish, encodePublish, HUB_KIND } from "../../src/bus/hub-frames.ts";
import type { BusMessage } from "../../src/bus/messages.ts";
import { Peers } from "../../src/bus/peers.ts";
import { HubServer } from "../../src/hub/hub-server.ts";
import { createLogger } from "../../src/lib/logger.ts";
import { resolveOptions } from "../../src/options/resolve.ts";
import { PresenceServer } from "../../src/presence/presence-server.ts";
import { until } from "../helpers/until.ts";

const ROOM = "/,lobby";
const NO_BODY = Buffer.alloc(0);
const KIND_AT = 4;

let peers: Peers;
let hub: HubServer;
let presence: PresenceServer;

beforeEach(async () => {
  const { options } = resolveOptions({ file: { presence: { graceMs: 0 } } });
  peers = new Peers();
  hub = new HubServer({ peers, options, log: createLogger({ level: "silent" }) });
  presence = new PresenceServer({ peers, options, hub });
  await hub.start();
  await presence.start();
});

afterEach(async () => {
  await presence.close();
  await hub.close();
});

/** A worker with one member in the Socket.IO room `lobby`, which writes down in few words what it is told. */
class FakeWorker extends EventEmitter {
  readonly queuedBytes = 0;
  told: string[] = [];
  #ticket = 0;

  constructor(slot: number) {
    super();
    const hello = { type: "hello", secret: "", build: "", role: "socket-worker", slot, incarnation: 1 } as const;
    peers.add(this as unknown as BusConnection, hello);
    this.says({ type: "hub:namespace", namespace: "/" });
    this.says({ type: "hub:attach", ticket: this.nextTicket(), key: 1, namespace: "/", sid: `sid ${slot}` });
    this.says({ type: "hub:join", ticket: this.nextTicket(), key: 1, rooms: ["lobby"] });
    this.endsBatch();
  }

  nextTicket(): number {
    this.#ticket++;
    return this.#ticket;
  }

  says(message: BusMessage): void {
    this.emit("message", message, NO_BODY);
  }

  enters(user: string, request = 1): void {
    this.says({ type: "presenceJoin", request, room: ROOM, socket: `socket of ${user}`, user });
  }

  leaves(user: string): void {
    this.says({ type: "presenceLeave", room: ROOM, socket: `socket of ${user}` });
  }

  publishes(text: string): void {
    const publication = { flags: 0, namespace: "/", rooms: ["lobby"], except: [], firstFrameBytes: 0 };
    this.emit("frame", HUB_KIND.publish, encodePublish(publication, this.nextTicket(), Buffer.from(text)));
  }

  endsBatch(): void {
    this.emit("batchEnd");
  }

  send(message: BusMessage): boolean {
    if (message.type === "presenceState") this.told.push(`state ${message.version}`);
    if (message.type === "presenceDiff") {
      this.told.push(...message.joined.map(({ user }) => `+${user}`), ...message.left.map((user) => `-${user}`));
    }
    return true;
  }

  sendFrame(frame: Buffer): boolean {
    if (frame[KIND_AT] === HUB_KIND.publish) this.told.push(decodeText(frame));
    else decodePassed(frame, (ticket) => this.told.push(`passed ${ticket}`));
    return true;
  }
}

function decodeText(frame: Buffer): string {
  return frame.toString("utf8", decodePublish(frame).payloadAt);
}

test("in one batch, who comes is told before their first message, and who goes after their last", async () => {
  const [here, there] = [new FakeWorker(0), new FakeWorker(1)];
  here.enters("ann");
  there.enters("bob");
  await until("both know the room", () => [here, there].every(({ told }) => told.some((text) => /^state/.test(text))));
  here.told = [];
  there.told = [];

  here.publishes("goodbye from ann");
  here.leaves("ann");
  here.enters("cat");
  here.publishes("hello from cat");
  here.endsBatch();

  expect(there.told).toEqual(["goodbye from ann", "+cat", "-ann", "hello from cat"]);
  // Its own members get its messages when it is told their places.
  expect(here.told).toEqual(["passed 3", expect.stringMatching(/^state/), "passed 4"]);
});

test("where another one stays, the worker that spoke is told in the same order", async () => {
  const here = new FakeWorker(0);
  here.enters("ann", 1);
  here.enters("dan", 2);
  await until("it knows the room", () => here.told.some((text) => /^state/.test(text)));
  here.told = [];

  here.publishes("goodbye from ann");
  here.leaves("ann");
  here.enters("cat", 3);
  here.publishes("hello from cat");
  here.endsBatch();

  expect(here.told).toEqual(["passed 3", "+cat", "-ann", expect.stringMatching(/^state/), "passed 4"]);
});
