import { describe, expect, test } from "vitest";
import { isExpectedHost, showsToken } from "../../src/admin/access.ts";

describe("isExpectedHost", () => {
  test.each(["127.0.0.1:9400", "127.0.0.1", "127.1.2.3:1", "localhost:9400", "LOCALHOST", "[::1]:9400"])(
    "lets in what a loopback listener goes by: %s",
    (header) => {
      expect(isExpectedHost(header, "127.0.0.1")).toBe(true);
    },
  );

  test.each([
    "evil.example:9400",
    "127.0.0.1.evil.example",
    "localhost.evil.example:9400",
    "127.0.0.1@evil.example",
    "[::1].evil.example",
    "192.168.0.1:9400",
    "127.0.0.1:80:80",
    "",
    undefined,
  ])("keeps out what a rebound name would bring: %s", (header) => {
    expect(isExpectedHost(header, "127.0.0.1")).toBe(false);
  });

  test("leaves a listener for others to its token", () => {
    expect(isExpectedHost("metrics.example", "0.0.0.0")).toBe(true);
  });
});

describe("showsToken", () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

  test.each([
    "Bearer s3cret-token",
    "bearer s3cret-token",
    "Bearer   s3cret-token",
    basic("anybody:s3cret-token"),
    basic(":s3cret-token"),
  ])("takes the token as bearer and as the password of Basic: %s", (header) => {
    expect(showsToken(header, "s3cret-token")).toBe(true);
  });

  test.each([
    undefined,
    "",
    "s3cret-token",
    "Bearer",
    "Bearer s3cret-toke",
    "Bearer s3cret-token2",
    "Bearer s3cret-token extra",
    "Digest s3cret-token",
    basic("s3cret-token:wrong"),
    "Basic ///",
  ])("refuses everything else: %s", (header) => {
    expect(showsToken(header, "s3cret-token")).toBe(false);
  });

  test("asks for nothing when there is no token", () => {
    expect(showsToken(undefined, "")).toBe(true);
  });
});
