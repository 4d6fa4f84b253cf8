import { describe, expect, test } from "vitest";
import { adviseNode, refuseNode } from "../../src/cli/node-version.ts";

describe("the Node that runs allcores", () => {
  test.each(["18.20.8", "20.18.3", "19.9.0"])("%s is refused, with what to install", (version) => {
    expect(refuseNode(version)).toMatch(/needs Node 20\.19 or newer, this is .*Install Node 24/);
  });

  test.each(["20.19.0", "20.20.2", "22.0.0", "24.1.0", "26.0.0-nightly"])("%s is taken", (version) => {
    expect(refuseNode(version)).toBeUndefined();
  });

  test("Node 20 is told that it is past its end of life, Node 24 nothing", () => {
    expect(adviseNode("20.20.2")).toMatch(/no security fixes since April 2026.*Node 24 is recommended/);
    expect(adviseNode("24.1.0")).toBeUndefined();
  });
});
