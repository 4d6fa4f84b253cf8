import { describe, expect, test } from "vitest";
import type { PresenceDiff } from "../../../src/demo/page/protocol.ts";
import { Roster } from "../../../src/demo/page/roster.ts";

function diff(version: number, change: Partial<PresenceDiff>): PresenceDiff {
  return { room: "room:lobby", version, joined: [], left: [], updated: [], ...change };
}

function member(user: string, count = 1): { user: string; info: { name: string }; count: number } {
  return { user, info: { name: user.toUpperCase() }, count };
}

describe("Roster", () => {
  test("follows the diffs after its state", () => {
    const roster = new Roster();
    roster.reset({ version: 4, members: [member("bob"), member("cem")] });

    roster.apply(diff(5, { joined: [member("ada")] }));
    roster.apply(diff(6, { updated: [member("ada", 2)], left: ["cem"] }));

    expect(roster.people).toEqual([
      { user: "ada", name: "ADA", count: 2 },
      { user: "bob", name: "BOB", count: 1 },
    ]);
  });

  test("says when a diff is missing, and changes nothing", () => {
    const roster = new Roster();
    roster.reset({ version: 4, members: [member("bob")] });

    const isComplete = roster.apply(diff(6, { left: ["bob"] }));

    expect(isComplete).toBe(false);
    expect(roster.people).toHaveLength(1);
  });

  test("ignores what its state already contains", () => {
    const roster = new Roster();
    roster.reset({ version: 4, members: [] });

    const isComplete = roster.apply(diff(4, { joined: [member("ada")] }));

    expect({ isComplete, people: roster.people }).toEqual({ isComplete: true, people: [] });
  });

  test.each([undefined, null, {}, { name: 7 }])("has a word for somebody with the info %j", (info) => {
    const roster = new Roster();

    roster.reset({ version: 1, members: [{ user: "x", info, count: 1 }] });

    expect(roster.people[0]?.name).toBe("Somebody");
  });
});
