// Hostile clients against a real box whose app trusts them: each costs itself something, and no process of the box ends.

import type { Socket } from "socket.io-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startBox, type TestBox } from "../helpers/box.ts";
import { connectClient } from "../helpers/clients.ts";
import { connectRaw, nestedArrays } from "../helpers/raw-client.ts";

const ATTACKS: Record<string, readonly string[]> = {
  "deep nesting that a handler passes on": [`42["say",${nestedArrays(3000)}]`, `42["say",${nestedArrays(5000)}]`],
  "deep nesting that a handler gives back": [`421["echo",${nestedArrays(5000)}]`],
  "deep nesting in the payload of a CONNECT": [`40/room-1,{"ticket":${nestedArrays(5000)}}`],
  "no ack where one is expected": ['42["echo",1]'],
  "null where an object is expected": ['42["later",null]', '42["later"]'],
  "an event called error": ['42["error",null]', '42["error",{"message":1}]'],
  "a payload that makes an async handler fail": ['42["later",{"ms":{"value":1}}]', '42["later",{"ms":null}]'],
  "a payload that makes an async middleware fail": ["40/room-1,{}", '40/room-2,{"ticket":"1234567"}'],
  "a namespace with a name of 900 KB": [`40/${"n".repeat(900_000)},`],
  "attachments that never come": ['452-["say",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'],
  "attachments that do not exist": ['451-["say",{"_placeholder":true,"num":7}]'],
  "keys with names of their own": ['42["say",{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}]'],
  garbage: ["4", "42{", "99999", "\u0000", '42["\ud800"]'],
};

describe.each(["box", "ipc"])("with the bus %s", (bus) => {
  let box: TestBox;
  let bystanders: Socket[];

  beforeAll(async () => {
    box = await startBox({ app: "trusts-its-clients.mjs", flags: ["--bus", bus] });
    const connected = await Promise.all([1, 2, 3, 4].map(() => connectClient(box.url)));
    bystanders = connected.map(({ socket }) => socket);
  });
  afterEach(async () => {
    const answers = await Promise.all(bystanders.map((socket) => socket.emitWithAck("echo", "here")));
    expect(answers).toEqual(["here", "here", "here", "here"]);
    expect((await box.status()).workers.map(({ incarnation }) => incarnation)).toEqual([1, 1]);
  });
  afterAll(async () => {
    for (const socket of bystanders) socket.disconnect();
    await box.stop();
  });

  test.each(Object.entries(ATTACKS))("%s", async (_what, frames) => {
    const port = Number(new URL(box.url).port);

    for (const frame of frames) {
      const attacker = await connectRaw(port);
      attacker.send(frame);
      attacker.send('429["echo","still served"]');
      await Promise.race([attacker.closed, attacker.next("439")]);
      attacker.socket.close();
    }
  });

  test("six clients that flood at once are all disconnected", async () => {
    const port = Number(new URL(box.url).port);
    const attackers = await Promise.all(Array.from({ length: 6 }, () => connectRaw(port)));

    for (const attacker of attackers) for (let n = 0; n < 5000; n++) attacker.send('42["say","flood"]');

    await Promise.all(attackers.map(({ closed }) => closed));
  });
});
