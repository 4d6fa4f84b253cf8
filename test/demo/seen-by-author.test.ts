import { describe, expect, test } from "vitest";
import type { ChatMessage } from "../../src/demo/page/protocol.ts";
import { seenByAuthor } from "../../src/demo/seen-by-author.ts";

function messageOf(user: string, id: string): ChatMessage {
  return { id, at: 0, text: "hi", author: { user, name: user }, worker: { slot: 0, pid: 1 } };
}

const messages = [messageOf("ada", "1"), messageOf("bob", "2"), messageOf("ada", "3"), messageOf("cem", "4")];

describe("seenByAuthor", () => {
  test.each([
    ["4", undefined, ["3", "2", "4"]],
    ["2", undefined, ["1", "2"]],
    ["4", "2", ["3", "4"]],
    ["4", "forgotten", ["3", "2", "4"]],
    ["4", "4", []],
    ["1", "3", []],
    ["unknown", undefined, []],
  ])("up to %s from %s names the latest message of each author in between: %j", (upTo, from, ids) => {
    expect(seenByAuthor(messages, upTo, from).map(({ id }) => id)).toEqual(ids);
  });
});
