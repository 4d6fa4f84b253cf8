import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { checkProtocol } from "../../src/bench/check-protocol.ts";
import { fillTemplate } from "../../src/bench/fill-template.ts";
import { BENCH_PROTOCOL, DEMO_PROTOCOL, loadProtocol } from "../../src/bench/protocols.ts";

const CHAT = { name: "chat", events: { publish: { event: "say", args: [{ text: "$payload", to: "$room" }] } } };

async function writeProtocol(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "allcores-protocol-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "protocol.json");
  await writeFile(file, text);
  return file;
}

describe("loadProtocol", () => {
  test.each([BENCH_PROTOCOL, DEMO_PROTOCOL])("knows the one of $name by name", async (protocol) => {
    await expect(loadProtocol(protocol.name)).resolves.toBe(protocol);
    expect(() => checkProtocol(protocol)).not.toThrow();
  });

  test("reads another app's from a file", async () => {
    const file = await writeProtocol(JSON.stringify(CHAT));

    await expect(loadProtocol(file)).resolves.toEqual(CHAT);
  });

  test.each([
    ["no such file", undefined],
    ["no JSON", "{"],
    ["not a protocol", "[]"],
  ])("refuses %s with the usage error", async (_what, text) => {
    const file = text === undefined ? "/nowhere/protocol.json" : await writeProtocol(text);

    await expect(loadProtocol(file)).rejects.toMatchObject({ code: "ALLCORES_ERR_USAGE" });
  });
});

describe("checkProtocol", () => {
  test.each([
    ["no name", { ...CHAT, name: "" }, /needs a `name`/],
    ["a relative path", { ...CHAT, path: "ws" }, /`path` must begin/],
    ["no events", { name: "x" }, /needs `events`/],
    ["an unknown kind", { name: "x", events: { shout: { event: "a", args: [] } } }, /`events.shout` is not a kind/],
    ["an ack that is neither", { name: "x", events: { join: { event: "a", args: [], ack: 1 } } }, /`events.join.ack`/],
    ["a word for sendersHear", { ...CHAT, sendersHear: "no" }, /`sendersHear` must be true or false/],
    ["no arguments", { name: "x", events: { join: { event: "a" } } }, /`events.join` needs an `event` and a list/],
    [
      "a message without payload",
      { name: "x", events: { echo: { event: "a", args: ["b"] } } },
      /must hold "\$payload"/,
    ],
  ])("refuses %s", (_what, value, message) => {
    expect(() => checkProtocol(value)).toThrow(message);
  });
});

test("fillTemplate replaces names inside strings, however deep, and nothing else", () => {
  const template = ["$room", { $user: "key-$user-$user", n: 1, not: "$rooms $id $other" }, null];

  const filled = fillTemplate(template, { room: "r1", user: "u2" });

  expect(filled).toEqual(["r1", { $user: "key-u2-u2", n: 1, not: "$rooms $id $other" }, null]);
});
