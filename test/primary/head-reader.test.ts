import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type HeadProgress, HeadReader } from "../../src/primary/head-reader.ts";

const HEAD = Buffer.from("GET /socket.io/?EIO=4 HTTP/1.1\r\nHost: box\r\n\r\n");

function read(chunks: readonly Buffer[], maxBytes = 16_384): { progress: HeadProgress; bytes: Buffer } {
  const reader = new HeadReader(maxBytes);
  let progress: HeadProgress = "more";
  for (const chunk of chunks) {
    if (progress === "more") progress = reader.push(chunk);
  }
  return { progress, bytes: reader.bytes() };
}

describe("HeadReader", () => {
  test("finds the end of a head cut at every byte position", () => {
    for (let at = 1; at < HEAD.length; at++) {
      const { progress, bytes } = read([HEAD.subarray(0, at), HEAD.subarray(at)]);

      expect(progress).toBe("complete");
      expect(bytes.equals(HEAD)).toBe(true);
    }
  });

  test("finds the end of a head that comes one byte at a time", () => {
    const { progress, bytes } = read([...HEAD].map((byte) => Buffer.from([byte])));

    expect(progress).toBe("complete");
    expect(bytes.equals(HEAD)).toBe(true);
  });

  test("keeps what follows the head in the same chunk", () => {
    const body = Buffer.from("4hello\r\n\r\nGET /");

    const { progress, bytes } = read([Buffer.concat([HEAD, body])]);

    expect(progress).toBe("complete");
    expect(bytes.equals(Buffer.concat([HEAD, body]))).toBe(true);
  });

  test("passes over empty lines before the request line", () => {
    expect(read([Buffer.from("\r\n\r\n"), HEAD]).progress).toBe("complete");
  });

  test("accepts a head of exactly the limit and refuses one byte more", () => {
    expect(read([HEAD], HEAD.length).progress).toBe("complete");
    expect(read([HEAD], HEAD.length - 1).progress).toBe("tooLarge");
  });

  test("does not count a body behind the head", () => {
    expect(read([Buffer.concat([HEAD, Buffer.alloc(100_000)])], HEAD.length).progress).toBe("complete");
  });

  test.each([
    ["a TLS handshake", Buffer.from([0x16, 0x03, 0x01, 0x02])],
    ["a bare line feed", Buffer.from("GET / HTTP/1.1\nHost: x\n\n")],
    ["a bare carriage return", Buffer.from("GET / HTTP/1.1\rHost: x")],
    ["a NUL byte", Buffer.from("GET /\0 HTTP/1.1\r\n")],
    ["a PROXY protocol v2 signature", Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1")],
  ])("refuses %s at once, without waiting for an end", (_what, bytes) => {
    expect(read([bytes]).progress).toBe("malformed");
  });

  test("never throws and never reads past its limit, whatever comes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 20 }), (chunks) => {
        const { progress, bytes } = read(
          chunks.map((chunk) => Buffer.from(chunk)),
          200,
        );

        expect(["more", "complete", "malformed", "tooLarge"]).toContain(progress);
        expect(bytes.length).toBeLessThanOrEqual(280);
      }),
    );
  });
});
