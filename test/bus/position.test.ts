import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatPosition, parsePosition, stampPosition } from "../../src/bus/position.ts";

const sequences = fc.integer({ min: 0, max: 2 ** 46 });

describe("positions", () => {
  test("come back as they were sent, always of one length", () => {
    fc.assert(
      fc.property(sequences, (sequence) => {
        const text = formatPosition({ epoch: "0a1b2c3d", sequence });

        expect(text).toHaveLength(23);
        expect(parsePosition(text)).toEqual({ epoch: "0a1b2c3d", sequence });
      }),
    );
  });

  test("can be written into bytes that are encoded already", () => {
    fc.assert(
      fc.property(sequences, (sequence) => {
        const bytes = Buffer.from(`42["e","${formatPosition({ epoch: "0a1b2c3d", sequence: 0 })}"]`);

        stampPosition(bytes, bytes.length, sequence);

        expect(String(bytes)).toBe(`42["e","${formatPosition({ epoch: "0a1b2c3d", sequence })}"]`);
      }),
    );
  });

  test.each(["", "hello", "0a1b2c3d-123", "0a1b2c3d-0000000000000x", "0A1B2C3D-00000000000001", "x".repeat(1e5)])(
    "are told from any other text a client may send: %.30s",
    (text) => {
      expect(parsePosition(text)).toBeUndefined();
    },
  );
});
