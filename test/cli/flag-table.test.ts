import { describe, expect, test } from "vitest";
import { describeFlags, type FlagTable, parseFlags, STANDS_ALONE } from "../../src/cli/flag-table.ts";

const table: FlagTable = {
  roomSize: { type: "integer", default: 10, min: 2, max: 1_000, doc: "Clients in a room." },
  placement: { type: "choice", default: "scattered", values: ["scattered", "together"], doc: "Where rooms are." },
  noLoss: { type: "boolean", default: false, doc: "Nothing may be lost." },
  json: { type: "optionalText", shows: "FILE", doc: "Writes the result." },
  url: { type: "text", shows: "URL", doc: "A server that runs." },
};

const parse = (...args: string[]) => parseFlags("bench rooms", args, table);

describe("flags", () => {
  test("are read by the names of the table, with their types", () => {
    const values = parse("--room-size", "1_000", "--placement=together", "--no-loss");

    expect(values).toEqual({ roomSize: 1_000, placement: "together", noLoss: true });
  });

  test.each([
    [["--json"], STANDS_ALONE],
    [["--json", "--no-loss"], STANDS_ALONE],
    [["--json", "out.json"], "out.json"],
  ])("%j: one with an optional value may stand alone", (args, json) => {
    expect(parse(...args).json).toBe(json);
  });

  test.each([
    [["--rom-size", "5"], "has no flag --rom-size. Did you mean --room-size?"],
    [["--colour"], "has no flag --colour."],
    [["rooms"], 'does not take "rooms"'],
    [["--room-size", "1"], '--room-size must be a whole number from 2 to 1000, got "1".'],
    [["--room-size", "ten"], "--room-size must be a whole number"],
    [["--room-size"], "--room-size needs a value"],
    [["--url="], "--url needs a value: URL."],
    [["--placement", "near"], '--placement must be one of scattered, together, got "near".'],
    [["--no-loss=maybe"], "--no-loss takes no value"],
  ])("%j is refused", (args, message) => {
    expect(() => parse(...args)).toThrow(
      expect.objectContaining({ code: "ALLCORES_ERR_USAGE", message: expect.stringContaining(message) }),
    );
  });

  test("are described one a line, with what they take and their default", () => {
    const lines = describeFlags(table).trimEnd().split("\n");

    expect(lines[0]).toBe("  --room-size N                   Clients in a room. Default 10.");
    expect(lines[3]).toBe("  --json [FILE]                   Writes the result.");
    expect(lines[2]).toMatch(/^ {2}--no-loss +Nothing may be lost\.$/);
  });
});
