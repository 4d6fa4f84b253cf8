import { describe, expect, test } from "vitest";
import { closestName } from "../../src/lib/closest-name.ts";

describe("the closest name", () => {
  test.each([
    ["rooom-size", "room-size"],
    ["raet", "rate"],
    ["worker", "workers"],
    ["workers", "workers"],
  ])("of %s is %s", (typed, meant) => {
    expect(closestName(typed, ["rate", "room-size", "workers"])).toBe(meant);
  });

  test("is none when nothing comes near", () => {
    expect(closestName("colour", ["rate", "room-size"])).toBeUndefined();
    expect(closestName("x", [])).toBeUndefined();
  });
});
