import { describe, expect, test } from "vitest";
import { resolveOptions } from "../../src/options/resolve.ts";

const secret = "0123456789abcdef0123456789abcdef";

const invalid = expect.objectContaining({ code: "ALLCORES_ERR_INVALID_OPTION" });

describe("auth.jwtAlgorithms", () => {
  test.each(["none", "RS256", "HS256,RS256", "", "hs256"])("refuses %j", (algorithms) => {
    expect(() => resolveOptions({ flags: { "auth-jwt-algorithms": algorithms } })).toThrow(invalid);
  });

  test("takes several", () => {
    const { options } = resolveOptions({ flags: { "auth-jwt-algorithms": "HS256, HS384" } });

    expect(options.auth.jwtAlgorithms).toEqual(["HS256", "HS384"]);
  });
});

describe("auth.jwtSecret", () => {
  test.each([
    ["HS256", 31, 32],
    ["HS384", 47, 48],
    ["HS256,HS512", 63, 64],
  ])("with %s is refused with %i bytes and taken with %i", (algorithms, tooFew, enough) => {
    const resolveWith = (bytes: number): unknown =>
      resolveOptions({
        flags: { "auth-jwt-algorithms": algorithms, "auth-jwt-secret": secret.repeat(2).slice(0, bytes) },
      });

    expect(() => resolveWith(tooFew)).toThrow(`at least ${enough} bytes`);
    expect(() => resolveWith(enough)).not.toThrow();
  });
});

describe("limits.origins", () => {
  test.each(["same", "https://chat.example", "http://localhost:3000", "HTTPS://Chat.Example", "capacitor://localhost"])(
    "takes %s",
    (origin) => {
      expect(resolveOptions({ flags: { "limits-origins": origin } }).options.limits.origins).toEqual([origin]);
    },
  );

  test.each([
    "chat.example",
    "https://chat.example/",
    "https://chat.example:443",
    "*",
    "null",
    "https://",
    "https://a b",
  ])("refuses %s, which no browser sends", (origin) => {
    expect(() => resolveOptions({ flags: { "limits-origins": origin } })).toThrow(invalid);
  });
});

describe("trustProxy", () => {
  test.each(["proxy.example", "10.0.0.0/33", "10.0.0.1,loopback"])("refuses %j", (list) => {
    expect(() => resolveOptions({ flags: { "trust-proxy": list } })).toThrow(invalid);
  });

  test("takes addresses and networks", () => {
    const { options } = resolveOptions({ flags: { "trust-proxy": "127.0.0.1, 10.0.0.0/8,2001:db8::/32" } });

    expect(options.trustProxy).toEqual(["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"]);
  });

  test("is what proxyProtocol needs", () => {
    expect(() => resolveOptions({ flags: { "proxy-protocol": true } })).toThrow(invalid);
  });
});
