import { describe, expect, test } from "vitest";
import { formatBytes, formatCount, formatDuration, formatRate } from "../../../src/admin/page/format.ts";

describe("formatCount", () => {
  test.each([
    [0, "0"],
    [9999, "9,999"],
    [12_345, "12.3K"],
    [81_600_000, "81.6M"],
  ])("shows %d as %s", (count, text) => {
    expect(formatCount(count)).toBe(text);
  });
});

describe("formatRate", () => {
  test.each([
    [0, "0"],
    [0.25, "0.3"],
    [42.4, "42"],
    [1234, "1.2K"],
  ])("shows %d a second as %s", (rate, text) => {
    expect(formatRate(rate)).toBe(text);
  });
});

describe("formatBytes", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1500, "1.5 KB"],
    [92_300_000, "92 MB"],
    [9.1e9, "9.1 GB"],
    [5e15, "5000 TB"],
  ])("shows %d as %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe("formatDuration", () => {
  test.each([
    [-5, "0 s"],
    [59_999, "59 s"],
    [185_000, "3 min 5 s"],
    [7_800_000, "2 h 10 min"],
    [356_400_000, "4 d 3 h"],
  ])("shows %d ms as %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
