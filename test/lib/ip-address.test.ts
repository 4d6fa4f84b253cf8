import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { networkOf, normalizeAddress, parseAddress } from "../../src/lib/ip-address.ts";

describe("normalizeAddress", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:201", "192.0.2.1"],
    ["0:0:0:0:0:ffff:c000:0201", "192.0.2.1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["::", "::"],
    ["::1", "::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
  ])("writes %s as %s", (text, normal) => {
    expect(normalizeAddress(text)).toBe(normal);
  });

  test.each(["", "unknown", "_hidden", "192.0.2", "192.0.2.256", "1.2.3.4:80", "[::1]", "::g", "1::2::3", " ::1"])(
    "knows that %j is no address",
    (text) => {
      expect(normalizeAddress(text)).toBeUndefined();
    },
  );

  test("changes no bits of an address, and does not change its own result", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const normal = normalizeAddress(text) ?? "";

        expect(parseAddress(normal)).toEqual(parseAddress(text));
        expect(normalizeAddress(normal)).toBe(normal);
      }),
    );
  });

  test("never throws, and knows the addresses that Node knows", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(normalizeAddress(text) === undefined).toBe(isIP(text) === 0);
      }),
    );
  });
});

describe("networkOf", () => {
  test("is the whole of an IPv4 address, and the /64 of an IPv6 one", () => {
    expect(networkOf("192.0.2.1")).toBe("192.0.2.1");
    expect(networkOf("::ffff:192.0.2.1")).toBe("192.0.2.1");
    expect(networkOf("2001:db8:1:2:3:4:5:6")).toBe(networkOf("2001:db8:1:2::9"));
    expect(networkOf("2001:db8:1:2::9")).not.toBe(networkOf("2001:db8:1:3::9"));
  });
});
