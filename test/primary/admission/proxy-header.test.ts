import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProxyHeaderReader } from "../../../src/primary/admission/proxy-header.ts";
import { COMMAND, FAMILY, proxyHeaderV2, tcp4Block } from "../../helpers/proxy-header.ts";

const REQUEST = Buffer.from("GET / HTTP/1.1\r\nHost: box\r\n\r\n");
const IPV6_BLOCK = Buffer.concat([Buffer.from("20010db8000000000000000000000001", "hex"), Buffer.alloc(20)]);
const TLVS = Buffer.concat([Buffer.from([0x04, 0x01, 0x00]), Buffer.alloc(256, "\r\n")]);

const HEADERS: Readonly<Record<string, readonly [header: Buffer, source: string | undefined]>> = {
  "v1, TCP4": [Buffer.from("PROXY TCP4 198.51.100.1 192.0.2.1 56324 443\r\n"), "198.51.100.1"],
  "v1, TCP6": [Buffer.from("PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n"), "2001:db8::1"],
  "v1, TCP6 with a mapped address": [Buffer.from("PROXY TCP6 ::ffff:198.51.100.1 ::1 1 2\r\n"), "198.51.100.1"],
  "v1, UNKNOWN": [Buffer.from("PROXY UNKNOWN\r\n"), undefined],
  "v1, UNKNOWN with addresses": [Buffer.from("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n"), undefined],
  "v2, TCP4": [proxyHeaderV2(COMMAND.proxy, FAMILY.tcp4, tcp4Block([198, 51, 100, 1])), "198.51.100.1"],
  "v2, TCP6": [proxyHeaderV2(COMMAND.proxy, FAMILY.tcp6, IPV6_BLOCK), "2001:db8::1"],
  "v2, TCP4 with TLVs": [
    proxyHeaderV2(COMMAND.proxy, FAMILY.tcp4, Buffer.concat([tcp4Block([198, 51, 100, 1]), TLVS])),
    "198.51.100.1",
  ],
  "v2, unix": [proxyHeaderV2(COMMAND.proxy, FAMILY.unix, Buffer.alloc(216, "/")), undefined],
  "v2, no family": [proxyHeaderV2(COMMAND.proxy, FAMILY.none, Buffer.alloc(0)), undefined],
  "v2, LOCAL": [proxyHeaderV2(COMMAND.local, FAMILY.none, Buffer.alloc(0)), undefined],
  "v2, LOCAL with addresses": [proxyHeaderV2(COMMAND.local, FAMILY.tcp4, tcp4Block([1, 2, 3, 4])), undefined],
};

/** Pushes chunk by chunk; what comes behind the chunk that completed the header belongs to the rest. */
function read(chunks: readonly Uint8Array[]) {
  const reader = new ProxyHeaderReader();
  let progress: ReturnType<ProxyHeaderReader["push"]> = "more";
  const behind: Uint8Array[] = [];
  for (const chunk of chunks) {
    if (progress === "more") progress = reader.push(Buffer.from(chunk));
    else behind.push(chunk);
  }
  return { progress, source: reader.source, rest: Buffer.concat([reader.rest, ...behind]) };
}

describe.each(Object.entries(HEADERS))("ProxyHeaderReader, %s", (_name, [header, source]) => {
  const whole = { progress: "complete", source, rest: REQUEST };
  const bytes = Buffer.concat([header, REQUEST]);

  test("finds the source and leaves the request as it is, cut at every byte", () => {
    for (let at = 0; at <= bytes.length; at++) {
      expect(read([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole);
    }
  });

  test("one byte at a time", () => {
    expect(read([...bytes].map((byte) => Buffer.from([byte])))).toEqual(whole);
  });

  test("is not complete before its last byte", () => {
    for (let length = 0; length < header.length; length++) {
      expect(read([header.subarray(0, length)]).progress).toBe("more");
    }
  });
});

describe("ProxyHeaderReader", () => {
  test.each([
    ["a request", "GET / HTTP/1.1\r\n\r\n"],
    ["a TLS handshake", "\x16\x03\x01"],
    ["another protocol name", "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n"],
    ["an IPv6 address as TCP4", "PROXY TCP4 ::1 ::1 1 2\r\n"],
    ["an IPv4 address as TCP6", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"],
    ["no ports", "PROXY TCP4 1.2.3.4 1.2.3.4\r\n"],
    ["a port that is none", "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n"],
    ["more fields", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"],
    ["two spaces", "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n"],
    ["no protocol", "PROXY\r\n"],
    ["lower case", "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n"],
    ["a line that does not end in time", `PROXY UNKNOWN ${"x".repeat(94)}`],
    ["version 3", proxyHeaderV2(0x31, FAMILY.tcp4, tcp4Block([1, 2, 3, 4])).toString("latin1")],
    ["an unknown command", proxyHeaderV2(0x22, FAMILY.tcp4, tcp4Block([1, 2, 3, 4])).toString("latin1")],
    ["an unknown family", proxyHeaderV2(COMMAND.proxy, 0x41, Buffer.alloc(12)).toString("latin1")],
    ["an unknown transport", proxyHeaderV2(COMMAND.proxy, 0x13, Buffer.alloc(12)).toString("latin1")],
    ["too short for its addresses", proxyHeaderV2(COMMAND.proxy, FAMILY.tcp6, Buffer.alloc(35)).toString("latin1")],
  ])("finds malformed: %s", (_what, text) => {
    expect(read([Buffer.from(text, "latin1")]).progress).toBe("malformed");
  });

  test("takes the longest line there may be, and not one byte more", () => {
    const line = (length: number) => Buffer.from(`PROXY UNKNOWN ${"x".repeat(length - 16)}\r\n`);

    expect(read([line(107)]).progress).toBe("complete");
    expect(read([line(108)]).progress).toBe("malformed");
  });

  test("never throws, and cuts do not change what it says", () => {
    const start = fc.constantFrom("PROXY ", "PROXY TCP4 1.2.3.4 ", "\r\n\r\n\0\r\nQUIT\n!", "");
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 300 }), fc.nat(300), (text, tail, at) => {
        const bytes = Buffer.concat([Buffer.from(text, "latin1"), tail]);

        const { progress } = read([bytes.subarray(0, at), bytes.subarray(at)]);

        expect(progress).toBe(read([bytes]).progress);
      }),
    );
  });
});
