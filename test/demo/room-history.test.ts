import { describe, expect, test } from "vitest";
import type { ChatMessage } from "../../src/demo/page/protocol.ts";
import { RoomHistory } from "../../src/demo/room-history.ts";

function messageAt(at: number, id = `id-${at}`, text = "hi"): ChatMessage {
  return { id, at, text, author: { user: "u", name: "Ada" }, worker: { slot: 0, pid: 1 } };
}

function idsOf(messages: readonly ChatMessage[]): string[] {
  return messages.map(({ id }) => id);
}

describe("RoomHistory", () => {
  test("is in the same order on every worker, whatever order the messages came in", () => {
    const [one, other] = [new RoomHistory(), new RoomHistory()];
    const messages = [messageAt(1), messageAt(2, "b"), messageAt(2, "a"), messageAt(3)];

    one.merge("lobby", messages);
    for (const message of messages.toReversed()) other.merge("lobby", [message]);

    expect(idsOf(one.messagesOf("lobby"))).toEqual(["id-1", "a", "b", "id-3"]);
    expect(other.messagesOf("lobby")).toEqual(one.messagesOf("lobby"));
  });

  test("keeps the latest messages of a room", () => {
    const history = new RoomHistory({ maxMessages: 2 });

    history.merge("lobby", [messageAt(1), messageAt(2), messageAt(3)]);

    expect(idsOf(history.messagesOf("lobby"))).toEqual(["id-2", "id-3"]);
  });

  test("says whether a copy brought anything new", () => {
    const history = new RoomHistory();

    const news = [[messageAt(1)], [messageAt(1)], [messageAt(1), messageAt(2)], []].map((copy) =>
      history.merge("lobby", copy),
    );

    expect(news).toEqual([true, false, true, false]);
    expect(history.messagesOf("lobby")).toHaveLength(2);
  });

  test("forgets the room that was silent longest when it holds too much", () => {
    const history = new RoomHistory({ maxLength: 2000 });
    history.merge("silent", [messageAt(1, "a", "x".repeat(700))]);
    history.merge("lively", [messageAt(2, "b", "x".repeat(700))]);

    history.merge("lively", [messageAt(3, "c", "x".repeat(300))]);

    expect(history.messagesOf("silent")).toEqual([]);
    expect(idsOf(history.messagesOf("lively"))).toEqual(["b", "c"]);
  });

  test("copies the rooms that were written to last, as far as they fit", () => {
    const history = new RoomHistory();
    history.merge("old", [messageAt(1, "a", "x".repeat(800))]);
    history.merge("new", [messageAt(2, "b", "x".repeat(800))]);

    const rooms = history.snapshot(1500).map(([room]) => room);

    expect(rooms).toEqual(["new"]);
  });
});
