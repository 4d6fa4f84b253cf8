import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { BENCH_PROTOCOL, checkProtocol, fillTemplate, loadProtocol } from "../../src/bench/protocols.ts";

const CHAT = { name: "chat", events: { publish: { event: "say", args: [{ text: "$payload", to: "$room" }] } } };

async function writeProtocol(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "allcores-protocol-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "protocol.json");
  await writeFile(file, text);
  return file;
}

describe("loadProtocol", () => {
  test("knows the bench app's by name", async () => {
    await expect(loadProtocol("bench")).resolves.toBe(BENCH_PROTOCOL);
    expect(() => checkProtocol(BENCH_PROTOCOL)).not.toThrow();
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

test("fillTemplate replaces whole strings, however deep, and nothing else", () => {
  const filled = fillTemplate(["$room", { to: "$user", n: 1, not: "a $room" }, null], { $room: "r1", $user: "u2" });

  expect(filled).toEqual(["r1", { to: "u2", n: 1, not: "a $room" }, null]);
});
