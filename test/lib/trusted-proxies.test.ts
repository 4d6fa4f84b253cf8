import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clientAddress, isNetwork, TrustedProxies } from "../../src/lib/trusted-proxies.ts";

describe("TrustedProxies", () => {
  test.each([
    ["10.0.0.0/8", "10.255.1.2", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["10.1.2.128/25", "10.1.2.200", true],
    ["10.1.2.128/25", "10.1.2.127", false],
    ["0.0.0.0/0", "203.0.113.9", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["127.0.0.1", "::ffff:127.0.0.1", true],
    ["::ffff:127.0.0.1", "127.0.0.1", true],
    ["::ffff:10.0.0.0/104", "10.9.9.9", true],
    ["2001:db8::/33", "2001:db8:7fff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["::1", "::1", true],
    ["10.0.0.0/8", "unknown", false],
  ])("%s has %s: %s", (entry, address, isIn) => {
    expect(new TrustedProxies(["192.0.2.99", entry]).has(address)).toBe(isIn);
  });

  test.each(["", "proxy", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8/8", "::/129", "::ffff:10.0.0.0/95"])(
    "%j is no network",
    (text) => {
      expect(isNetwork(text)).toBe(false);
    },
  );
});

describe("clientAddress", () => {
  const trusted = new TrustedProxies(["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"]);

  test.each([
    ["no proxy's word counts", "203.0.113.1", "198.51.100.1", "203.0.113.1"],
    ["a proxy's word counts", "127.0.0.1", "198.51.100.1", "198.51.100.1"],
    ["what the client made up is not looked at", "127.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"],
    ["several proxies are passed", "127.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.7, 10.0.0.8", "198.51.100.1"],
    ["all are proxies: the first of them", "127.0.0.1", "10.0.0.7, 10.0.0.8", "10.0.0.7"],
    ["nothing is said", "127.0.0.1", undefined, "127.0.0.1"],
    ["nothing is in it", "127.0.0.1", " , ,", "127.0.0.1"],
    ["empty entries are passed", "127.0.0.1", "198.51.100.1,,", "198.51.100.1"],
    ["garbage ends the way", "127.0.0.1", "198.51.100.1, unknown, 10.0.0.8", "10.0.0.8"],
    ["with a port", "127.0.0.1", "198.51.100.1:4711", "198.51.100.1"],
    ["in brackets, with a port", "127.0.0.1", "[2001:dead::1]:4711", "2001:dead::1"],
    ["mapped", "::ffff:127.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"],
  ])("%s", (_what, peer, forwardedFor, client) => {
    expect(clientAddress(peer, forwardedFor, trusted)).toBe(client);
  });

  test("whatever a client sends, it is what the proxy saw that counts", () => {
    fc.assert(
      fc.property(fc.string(), fc.ipV4(), (sent, seen) => {
        fc.pre(!trusted.has(seen));

        expect(clientAddress("127.0.0.1", `${sent}, ${seen}`, trusted)).toBe(seen);
      }),
    );
  });

  test("whatever a client sends without a proxy does not count", () => {
    fc.assert(
      fc.property(fc.string(), (sent) => {
        expect(clientAddress("203.0.113.1", sent, trusted)).toBe("203.0.113.1");
      }),
    );
  });
});
