import { describe, expect, test } from "vitest";
import { channelsOf, roomChannel, roomOf } from "../../src/fanout/channels.ts";

describe("channels", () => {
  test("are those of @socket.io/redis-adapter", () => {
    const channels = channelsOf("socket.io", "/chat");

    expect([channels.broadcast, channels.request, channels.response, channels.responseTo("abc")]).toEqual([
      "socket.io#/chat#",
      "socket.io-request#/chat#",
      "socket.io-response#/chat#",
      "socket.io-response#/chat#abc#",
    ]);
  });

  test("name the room of a broadcast, with whatever characters it has", () => {
    const channels = channelsOf("socket.io", "/");

    const named = ["a", "a#b", "ü *"].map((room) => roomOf(channels, roomChannel(channels, room)));

    expect(named).toEqual(["a", "a#b", "ü *"]);
    expect(roomOf(channels, roomChannel(channels, undefined))).toBeUndefined();
  });

  test("a namespace with the signs of a glob is taken by its letters", () => {
    expect(channelsOf("p[1]", "/a*b?").broadcastPattern).toBe("p\\[1\\]#/a\\*b\\?#*");
  });
});
