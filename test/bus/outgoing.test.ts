import fc from "fast-check";
import { expect, test } from "vitest";
import { Outgoing } from "../../src/bus/outgoing.ts";

test("gives back every frame in order, whatever their sizes, and counts what waits", () => {
  const size = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(16_383, 16_384, 100_000, 300_000));
  const takes = fc.array(fc.array(size, { maxLength: 40 }), { maxLength: 4 });

  fc.assert(
    fc.property(takes, (batches) => {
      const outgoing = new Outgoing();
      let filler = 0;
      for (const sizes of batches) {
        const frames = sizes.map((bytes) => Buffer.alloc(bytes, filler++ % 256));

        for (const frame of frames) outgoing.add(frame);

        const expected = Buffer.concat(frames);
        expect(outgoing.bytes).toBe(expected.length);
        expect(Buffer.concat(outgoing.take()).equals(expected)).toBe(true);
        expect(outgoing.bytes).toBe(0);
      }
    }),
    { numRuns: 50 },
  );
});

test("what was written may be written over, what is still on its way may not", () => {
  const outgoing = new Outgoing();
  outgoing.add(Buffer.from("written"));
  const [written] = outgoing.take();
  outgoing.reuse();

  outgoing.add(Buffer.from("waiting"));
  outgoing.reuse();
  outgoing.add(Buffer.from(", more"));

  const [waiting] = outgoing.take();
  expect(waiting?.toString()).toBe("waiting, more");
  expect(waiting?.byteOffset).toBe(written?.byteOffset);
});

test("what was taken stays as it was, though its frame is used again and more is added", () => {
  const outgoing = new Outgoing();
  const frame = Buffer.from("first");
  outgoing.add(frame);
  const [taken] = outgoing.take();

  frame.fill("x");
  outgoing.add(Buffer.from("second"));

  expect(taken?.toString()).toBe("first");
});
