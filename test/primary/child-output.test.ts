import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import type { Logger } from "../../src/lib/logger.ts";
import { logOutput } from "../../src/primary/child-output.ts";

/** What is logged of a program's output. */
async function logged(program: string): Promise<{ fields: object; message: string }[]> {
  const lines: { fields: object; message: string }[] = [];
  const write = (fields: object, message: string) => void lines.push({ fields, message });
  const log: Logger = { error: write, warn: write, info: write, debug: write, child: () => log };
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "pipe"] });
  logOutput(child, log);
  await once(child, "close");
  return lines;
}

describe("logOutput", () => {
  test("logs each line of stdout and stderr, the last one without a line feed too", async () => {
    const lines = await logged('process.stdout.write("one\\n\\ntw"); process.stdout.write("o"); console.error("bad")');

    expect(lines).toHaveLength(3);
    expect(lines).toContainEqual({ fields: { stream: "stdout" }, message: "one" });
    expect(lines).toContainEqual({ fields: { stream: "stdout" }, message: "two" });
    expect(lines).toContainEqual({ fields: { stream: "stderr" }, message: "bad" });
  });

  test("cuts a line without end, and keeps no more of it", async () => {
    const lines = await logged('for (let i = 0; i < 50; i++) process.stdout.write("x".repeat(1e6))');

    expect(lines.map(({ message }) => message)).toEqual(["x".repeat(4096)]);
  });

  test("logs a hundred lines a second and reads on past the others", async () => {
    const lines = await logged('console.log("noise\\n".repeat(1e6))');

    expect(lines.length).toBeGreaterThanOrEqual(100);
    expect(lines.length).toBeLessThan(10_000);
  });
});
