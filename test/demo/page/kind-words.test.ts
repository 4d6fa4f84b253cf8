import { describe, expect, test } from "vitest";
import { isPassing, kindWords } from "../../../src/demo/page/kind-words.ts";

describe("kindWords", () => {
  test.each([
    [undefined, "in a moment"],
    [120, "in a second"],
    [2400, "in 3 seconds"],
  ])("says when to come back after a wait of %s ms", (retryAfterMs, words) => {
    const refusal = {
      code: "ALLCORES_ERR_RATE_LIMITED",
      message: "x",
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    };

    expect(kindWords(refusal)).toContain(words);
  });

  test("keeps the words of the demo's own refusals", () => {
    expect(kindWords({ code: "CHAT_ERR_ROOM", message: "A room has letters." })).toBe("A room has letters.");
  });

  test("does not show people what is meant for operators", () => {
    expect(kindWords({ code: "ALLCORES_ERR_POOL_SATURATED", message: "raise cpu.maxQueue" })).not.toContain("cpu");
  });

  test.each([
    ["ALLCORES_ERR_RATE_LIMITED", true],
    ["ALLCORES_ERR_HANDLER", true],
    ["CHAT_ERR_TOO_FAST", true],
    ["CHAT_ERR_TEXT", false],
    ["ALLCORES_ERR_PACKET_REFUSED", false],
  ])("knows whether %s passes: %s", (code, passes) => {
    expect(isPassing({ code, message: "" })).toBe(passes);
  });
});
