import { describe, expect, test } from "vitest";
import { isOriginAllowed } from "../../src/limits/origin.ts";

const claim = { origin: "https://chat.example", host: "chat.example", isScript: false };

describe("isOriginAllowed", () => {
  test.each([
    ["https://chat.example", true],
    ["HTTPS://Chat.Example", true],
    ["http://chat.example", false],
    ["https://chat.example:8443", false],
    ["https://chat.example.evil.example", false],
    ["https://evil.example/https://chat.example", false],
    ["null", false],
    ["", false],
  ])("with a list of one, the origin %j: %s", (origin, isAllowed) => {
    expect(isOriginAllowed(["https://chat.example"], { ...claim, origin })).toBe(isAllowed);
  });

  test("knows origins that are not of the web, such as those of apps", () => {
    expect(isOriginAllowed(["capacitor://localhost"], { ...claim, origin: "capacitor://localhost" })).toBe(true);
  });

  test.each([
    ["https://chat.example", "chat.example", true],
    ["https://chat.example", "chat.example:443", true],
    ["http://chat.example:3000", "chat.example:3000", true],
    ["https://evil.example", "chat.example", false],
    ["https://chat.example:3000", "chat.example", false],
    ["null", "chat.example", false],
    ["https://chat.example", undefined, false],
    ["https://chat.example", "//", false],
  ])("`same` with the origin %j asking the host %j: %s", (origin, host, isAllowed) => {
    expect(isOriginAllowed(["same"], { ...claim, origin, host })).toBe(isAllowed);
  });

  test("lets programs in, which send no Origin", () => {
    expect(isOriginAllowed(["same"], { ...claim, origin: undefined })).toBe(true);
  });

  test("keeps out a script element of any page, which sends no Origin either", () => {
    expect(isOriginAllowed(["same"], { ...claim, origin: undefined, isScript: true })).toBe(false);
  });
});
